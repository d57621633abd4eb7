package lang

import (
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"

	"github.com/apparentlymart/go-cidr/cidr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// The cidr functions take and give the same values as Terraform's.

var cidrHostFunc = function.New(&function.Spec{
	Description: "The address of host number hostnum in a prefix; a negative number counts from the end.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "hostnum", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		host, err := wholeNumber(args[1])
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		addr, err := cidrHost(args[0].AsString(), host)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(addr.String()), nil
	},
})

var cidrNetmaskFunc = function.New(&function.Spec{
	Description: "The dotted netmask of an IPv4 prefix.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		mask, err := cidrNetmask(args[0].AsString())
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(mask.String()), nil
	},
})

var cidrSubnetFunc = function.New(&function.Spec{
	Description: "Subnet number netnum of a prefix, newbits longer.",
	Params: []function.Parameter{
		{Name: "prefix", Type: cty.String}, {Name: "newbits", Type: cty.Number}, {Name: "netnum", Type: cty.Number},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		newbits, err := smallInt(args[1])
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		num, err := wholeNumber(args[2])
		if err != nil {
			return cty.NilVal, function.NewArgError(2, err)
		}
		subnet, err := cidrSubnet(args[0].AsString(), newbits, num)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(subnet.String()), nil
	},
})

var cidrSubnetsFunc = function.New(&function.Spec{
	Description: "Consecutive subnets of a prefix, each as many bits longer as its argument says.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}},
	VarParam:    &function.Parameter{Name: "newbits", Type: cty.Number},
	Type:        function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		newbits := make([]int, 0, len(args)-1)
		for i, a := range args[1:] {
			n, err := smallInt(a)
			if err != nil {
				return cty.NilVal, function.NewArgError(i+1, err)
			}
			newbits = append(newbits, n)
		}
		subnets, err := cidrSubnets(args[0].AsString(), newbits)
		if err != nil {
			return cty.NilVal, err
		}
		if len(subnets) == 0 {
			return cty.ListValEmpty(cty.String), nil
		}
		values := make([]cty.Value, len(subnets))
		for i, p := range subnets {
			values[i] = cty.StringVal(p.String())
		}
		return cty.ListVal(values), nil
	},
})

// wholeNumber is an integer of no more bits than twice an address has: 1e999999999
// is a short float, and a big.Int that fills the memory.
func wholeNumber(v cty.Value) (*big.Int, error) {
	f := v.AsBigFloat()
	if !f.IsInt() || f.MantExp(nil) > 256 {
		return nil, errors.New("a whole number that fits an address is required")
	}
	n, _ := f.Int(nil)
	return n, nil
}

// smallInt is a whole number that no address is longer than.
func smallInt(v cty.Value) (int, error) {
	n, acc := v.AsBigFloat().Int64()
	if acc != big.Exact || n < 0 || n > 128 {
		return 0, errors.New("a whole number between 0 and 128 is required")
	}
	return int(n), nil
}

func cidrPrefix(s string) (*net.IPNet, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, function.NewArgErrorf(0, "%s is not an address with a prefix length, such as 10.0.0.0/24", Quote(s))
	}
	if p.Addr().Is4In6() {
		return nil, function.NewArgErrorf(0, "%s is an IPv4-mapped IPv6 address; write it as IPv4", Quote(s))
	}
	return &net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}, nil
}

func cidrHost(prefix string, host *big.Int) (net.IP, error) {
	p, err := cidrPrefix(prefix)
	if err != nil {
		return nil, err
	}
	addr, err := cidr.HostBig(p, host)
	if err != nil {
		return nil, fmt.Errorf("prefix %s has room for %d hosts, and %s is outside", p, hosts(p), host)
	}
	return addr, nil
}

// hosts is how many addresses a prefix has.
func hosts(p *net.IPNet) *big.Int {
	ones, length := p.Mask.Size()
	return new(big.Int).Lsh(big.NewInt(1), uint(length-ones))
}

func cidrNetmask(prefix string) (net.IP, error) {
	p, err := cidrPrefix(prefix)
	if err != nil {
		return nil, err
	}
	if len(p.IP) == net.IPv6len {
		return nil, function.NewArgErrorf(0, "IPv6 has no netmasks; use the prefix length")
	}
	return net.IP(p.Mask), nil
}

func cidrSubnet(prefix string, newbits int, num *big.Int) (*net.IPNet, error) {
	p, err := cidrPrefix(prefix)
	if err != nil {
		return nil, err
	}
	if ones, length := p.Mask.Size(); ones+newbits > length {
		return nil, fmt.Errorf("%s cannot be %d bits longer: an address has %d bits", p, newbits, length)
	}
	// go-cidr would take a negative number for its absolute value.
	if num.Sign() < 0 || num.BitLen() > newbits {
		return nil, fmt.Errorf("%s has no subnet number %s with %d more bits", p, num, newbits)
	}
	return cidr.SubnetBig(p, newbits, num)
}

// cidrSubnets lays subnets one after the other, each at a multiple of its size.
func cidrSubnets(prefix string, newbits []int) ([]*net.IPNet, error) {
	p, err := cidrPrefix(prefix)
	if err != nil {
		return nil, err
	}
	start, length := p.Mask.Size()
	subnets := make([]*net.IPNet, 0, len(newbits))
	for i, more := range newbits {
		if more < 1 || start+more > length {
			return nil, function.NewArgErrorf(i+1, "%s cannot be %d bits longer", p, more)
		}
		subnet, overflow := &net.IPNet{IP: p.IP, Mask: net.CIDRMask(start+more, length)}, false
		if i > 0 {
			subnet, overflow = cidr.NextSubnet(subnets[i-1], start+more)
		}
		if overflow || !p.Contains(subnet.IP) {
			return nil, function.NewArgErrorf(i+1, "%s has no room left for a /%d", p, start+more)
		}
		subnets = append(subnets, subnet)
	}
	return subnets, nil
}
