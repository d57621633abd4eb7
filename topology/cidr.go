package topology

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"

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

func cidrPrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, function.NewArgErrorf(0, "%s is not an address with a prefix length, such as 10.0.0.0/24", quote(s))
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, function.NewArgErrorf(0, "%s is an IPv4 address in IPv6 clothes; write it as IPv4", quote(s))
	}
	return p.Masked(), nil
}

func cidrHost(prefix string, host *big.Int) (netip.Addr, error) {
	p, err := cidrPrefix(prefix)
	if err != nil {
		return netip.Addr{}, err
	}
	size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	offset := new(big.Int).Set(host)
	if host.Sign() < 0 {
		offset.Add(offset, size)
	}
	if offset.Sign() < 0 || offset.Cmp(size) >= 0 {
		return netip.Addr{}, fmt.Errorf("prefix %s has room for %s hosts, and %s is outside", p, size, host)
	}
	return addOffset(p.Addr(), offset), nil
}

func cidrNetmask(prefix string) (netip.Addr, error) {
	p, err := cidrPrefix(prefix)
	if err != nil {
		return netip.Addr{}, err
	}
	if p.Addr().Is6() {
		return netip.Addr{}, function.NewArgErrorf(0, "IPv6 has no netmasks; use the prefix length")
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), p.Bits()).Masked().Addr(), nil
}

func cidrSubnet(prefix string, newbits int, num *big.Int) (netip.Prefix, error) {
	p, err := cidrPrefix(prefix)
	if err != nil {
		return netip.Prefix{}, err
	}
	bits := p.Bits() + newbits
	if bits > p.Addr().BitLen() {
		return netip.Prefix{}, fmt.Errorf("%s cannot be %d bits longer: an address has %d bits", p, newbits, p.Addr().BitLen())
	}
	if num.Sign() < 0 || num.BitLen() > newbits {
		return netip.Prefix{}, fmt.Errorf("%s has no subnet number %s with %d more bits", p, num, newbits)
	}
	offset := new(big.Int).Lsh(num, uint(p.Addr().BitLen()-bits))
	return netip.PrefixFrom(addOffset(p.Addr(), offset), bits), nil
}

func cidrSubnets(prefix string, newbits []int) ([]netip.Prefix, error) {
	p, err := cidrPrefix(prefix)
	if err != nil {
		return nil, err
	}
	length := p.Addr().BitLen()
	end := new(big.Int).Lsh(big.NewInt(1), uint(length-p.Bits()))
	next := new(big.Int)
	subnets := make([]netip.Prefix, 0, len(newbits))
	for i, more := range newbits {
		bits := p.Bits() + more
		if more < 1 || bits > length {
			return nil, function.NewArgErrorf(i+1, "%s cannot be %d bits longer", p, more)
		}
		size := new(big.Int).Lsh(big.NewInt(1), uint(length-bits))
		// A subnet starts at a multiple of its size.
		if over := new(big.Int).Mod(next, size); over.Sign() != 0 {
			next.Add(next, size).Sub(next, over)
		}
		if new(big.Int).Add(next, size).Cmp(end) > 0 {
			return nil, function.NewArgErrorf(i+1, "%s has no room left for a /%d", p, bits)
		}
		subnets = append(subnets, netip.PrefixFrom(addOffset(p.Addr(), next), bits))
		next.Add(next, size)
	}
	return subnets, nil
}

// addOffset returns base + offset. The sum must fit, as it does within a prefix.
func addOffset(base netip.Addr, offset *big.Int) netip.Addr {
	sum := new(big.Int).SetBytes(base.AsSlice())
	sum.Add(sum, offset)
	addr, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, base.BitLen()/8)))
	return addr
}
