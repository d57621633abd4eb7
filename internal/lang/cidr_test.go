package lang

import (
	"math/big"
	"net"
	"net/netip"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"pgregory.net/rapid"
)

func TestCIDR(t *testing.T) {
	tests := []struct{ expr, want string }{
		{`cidrhost("10.12.112.0/20", 16)`, "10.12.112.16"},
		{`cidrhost("10.12.112.0/20", 268)`, "10.12.113.12"},
		{`cidrhost("10.12.112.0/20", -1)`, "10.12.127.255"},
		{`cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)`, "fd00:fd12:3456:7890::22"},
		{`cidrhost("10.0.0.7/24", 1)`, "10.0.0.1"},
		{`cidrnetmask("172.16.0.0/12")`, "255.240.0.0"},
		{`cidrnetmask("10.0.0.1/0")`, "0.0.0.0"},
		{`cidrsubnet("172.16.0.0/12", 4, 2)`, "172.18.0.0/16"},
		{`cidrsubnet("10.1.2.0/24", 4, 15)`, "10.1.2.240/28"},
		{`cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)`, "fd00:fd12:3456:7800:a200::/72"},
		{`cidrsubnet("0.0.0.0/0", 32, 4294967295)`, "255.255.255.255/32"},
		{`join(" ", cidrsubnets("10.1.0.0/16", 4, 4, 8, 4))`, "10.1.0.0/20 10.1.16.0/20 10.1.32.0/24 10.1.48.0/20"},
		{`join(" ", cidrsubnets("fd00:fd12:3456:7890::/56", 16, 16, 16, 32))`, "fd00:fd12:3456:7800::/72 fd00:fd12:3456:7800:100::/72 fd00:fd12:3456:7800:200::/72 fd00:fd12:3456:7800:300::/88"},
		{`tostring(length(cidrsubnets("10.0.0.0/8")))`, "0"},
		{`tostring(can(cidrhost("10.0.0.0/24", 256)))`, "false"},
		{`tostring(can(cidrhost("10.0.0.0/24", -257)))`, "false"},
		{`tostring(can(cidrhost("10.0.0.0/24", 0.5)))`, "false"},
		{`tostring(can(cidrhost("10.0.0.0/24", 1e300)))`, "false"},
		{`tostring(can(cidrhost("10.0.0.01/24", 1)))`, "false"},
		{`tostring(can(cidrsubnet("10.0.0.0/24", 9, 0)))`, "false"},
		{`tostring(can(cidrsubnet("10.0.0.0/24", 4, 16)))`, "false"},
		{`tostring(can(cidrsubnet("10.0.0.0/24", -1, 0)))`, "false"},
		{`tostring(can(cidrsubnets("10.0.0.0/24", 1, 1, 1)))`, "false"},
		{`tostring(can(cidrnetmask("2001:db8::/32")))`, "false"},
	}
	for _, test := range tests {
		if have := evaluated(t, test.expr); have != test.want {
			t.Errorf("%s: want %s, have %s", test.expr, test.want, have)
		}
	}
}

func prefixes() *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "size")
		addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "bytes"))
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "bits")).Masked()
	})
}

// hostOf is cidrHost with values that compare.
func hostOf(p netip.Prefix, n *big.Int) (netip.Addr, error) {
	ip, err := cidrHost(p.String(), n)
	addr, _ := netip.AddrFromSlice(ip)
	return addr, err
}

func prefix(n *net.IPNet) netip.Prefix {
	addr, _ := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(addr, ones)
}

// A host is within its prefix, and numbers of the same host agree from both
// ends.
func TestCIDRHostIsWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := prefixes().Draw(t, "prefix")
		n := rapid.Int64().Draw(t, "host")
		addr, err := hostOf(p, big.NewInt(n))
		size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
		fits := new(big.Int).Abs(big.NewInt(n)).Cmp(size) < 0 || n < 0 && new(big.Int).Neg(big.NewInt(n)).Cmp(size) == 0
		if fits != (err == nil) {
			t.Fatalf("fits %v, error %v", fits, err)
		}
		if err != nil {
			return
		}
		if !p.Contains(addr) {
			t.Fatalf("%s is not in %s", addr, p)
		}
		other := new(big.Int).Sub(big.NewInt(n), size)
		if n < 0 {
			other.Add(big.NewInt(n), size)
		}
		if again, err := hostOf(p, other); err != nil || again != addr {
			t.Fatalf("host %d is %s, host %s is %s (%v)", n, addr, other, again, err)
		}
	})
}

// A subnet is within its prefix, and differs from the others.
func TestCIDRSubnetIsWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := prefixes().Draw(t, "prefix")
		more := rapid.IntRange(0, p.Addr().BitLen()-p.Bits()).Draw(t, "newbits")
		num := rapid.Int64Range(0, 1<<min(more, 62)-1).Draw(t, "num")
		net, err := cidrSubnet(p.String(), more, big.NewInt(num))
		if err != nil {
			t.Fatal(err)
		}
		subnet := prefix(net)
		if subnet.Bits() != p.Bits()+more || subnet.Masked() != subnet || !p.Contains(subnet.Addr()) {
			t.Fatalf("%s is not a subnet of %s", subnet, p)
		}
		if num > 0 {
			if net, _ := cidrSubnet(p.String(), more, big.NewInt(num-1)); prefix(net).Addr().Compare(subnet.Addr()) >= 0 || prefix(net).Overlaps(subnet) {
				t.Fatalf("%s, then %s", net, subnet)
			}
		}
	})
}

// Consecutive subnets lie within the prefix, in order, without overlap.
func TestCIDRSubnetsAreDisjoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := prefixes().Draw(t, "prefix")
		newbits := rapid.SliceOfN(rapid.IntRange(0, 130), 0, 8).Draw(t, "newbits")
		nets, err := cidrSubnets(p.String(), newbits)
		if err != nil {
			return
		}
		var subnets []netip.Prefix
		for i, net := range nets {
			s := prefix(net)
			subnets = append(subnets, s)
			if s.Bits() != p.Bits()+newbits[i] || !p.Contains(s.Addr()) || s.Masked() != s {
				t.Fatalf("%s is not a subnet of %s", s, p)
			}
			if i > 0 && (subnets[i-1].Overlaps(s) || subnets[i-1].Addr().Compare(s.Addr()) >= 0) {
				t.Fatalf("%s, then %s", subnets[i-1], s)
			}
		}
	})
}

// No argument makes a cidr function panic.
func TestCIDRNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := cty.StringVal(rapid.OneOf(rapid.String(), rapid.Map(prefixes(), netip.Prefix.String)).Draw(t, "prefix"))
		number := func(name string) cty.Value { return cty.NumberFloatVal(rapid.Float64().Draw(t, name)) }
		calls := []struct {
			f    function.Function
			args []cty.Value
		}{
			{cidrHostFunc, []cty.Value{prefix, number("host")}},
			{cidrNetmaskFunc, []cty.Value{prefix}},
			{cidrSubnetFunc, []cty.Value{prefix, number("newbits"), number("num")}},
			{cidrSubnetsFunc, []cty.Value{prefix, number("first"), number("second")}},
		}
		for _, c := range calls {
			// The error does not matter; cty turns a panic into one, which does.
			if _, err := c.f.Call(c.args); err != nil {
				if _, panicked := err.(function.PanicError); panicked {
					t.Fatal(err)
				}
			}
		}
	})
}
