package persist

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// need skips a test, with the reason, if a tool is missing. In CI it skips none.
func need(t testing.TB, tools ...string) {
	t.Helper()
	skip := t.Skip
	if os.Getenv("CI") == "true" {
		skip = t.Fatal
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			skip("left out: " + err.Error() + "; `make setup` installs it")
		}
	}
}

// sourced returns the variables of a shell after it has sourced texts one after another, as
// ifup sources /etc/sysconfig/network and a device's file.
func sourced(t *testing.T, shell []string, texts ...string) map[string]string {
	t.Helper()
	cmd := exec.Command(shell[0], append(shell[1:], "-c", `before=$(set | sed 's/=.*//'); for f; do eval "$f" || exit; done
set | grep -E '^[A-Z_]+=' | grep -v -E '^(BASH.*|DIRSTACK|EUID|GROUPS|HOST.*|IFS|LINENO|MACHTYPE|OPT.*|OSTYPE|PATH|PIPESTATUS|PPID|PS.|PWD|OLDPWD|SHELL.*|SHLVL|TERM|UID|_)='`, "sh")...)
	cmd.Args = append(cmd.Args, texts...)
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", shell[0], err, out)
	}
	have := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		have[name] = strings.Trim(v, "'")
	}
	return have
}

// TestSourced lets shells source the files that ifup would, for device names of every form.
func TestSourced(t *testing.T) {
	for _, dev := range []string{"eth0", "ens33.100", "_-@.sh", "p-p@1.2", "-x"} {
		boot := Boot{NetworkScripts: true, Ifcfg: map[string]Ifcfg{dev: {Path: scriptsDir + "ifcfg-" + dev, OnBoot: true, First: netip.MustParsePrefix("10.1.0.2/24")}}}
		out := Files(Input{
			Topology: "web", System: netsystem.NetworkScripts, Boot: boot, Live: state.New(), Before: state.New(),
			Want: made(address("10.1.0.100/31", dev), address("10.9.0.1/32", "lo"), address("10.9.0.2/32", "tunl0"), route("0.0.0.0/0", 0, "10.1.0.1", dev)),
		})
		text := func(path string) string {
			return "# BEGIN lvsctl web\n" + out.Blocks[state.BlockKey{Path: path, Topology: "web"}].Text + "# END lvsctl web\n"
		}
		for _, shell := range [][]string{{"bash"}, {"sh"}} {
			need(t, shell[0])
			for _, c := range []struct {
				texts []string
				want  map[string]string
			}{
				{[]string{text(scriptsDir + "ifcfg-" + dev + ":0")}, map[string]string{
					"DEVICE": dev + ":0", "IPADDR": "10.1.0.100", "PREFIX": "31", "NETMASK": "255.255.255.254", "ARPCHECK": "no", "NO_ALIASROUTING": "yes", "ONBOOT": "yes",
				}},
				{[]string{text(scriptsDir + "ifcfg-lo:0")}, map[string]string{
					"DEVICE": "lo:0", "IPADDR": "10.9.0.1", "PREFIX": "32", "NETMASK": "255.255.255.255", "NO_ALIASROUTING": "yes", "ONBOOT": "yes",
				}},
				{[]string{text(scriptsDir + "ifcfg-tunl0")}, map[string]string{
					"DEVICE": "tunl0", "IPADDR": "10.9.0.2", "PREFIX": "32", "NETMASK": "255.255.255.255", "ARPCHECK": "no", "ONBOOT": "yes",
					"BOOTPROTO": "none", "NM_CONTROLLED": "no", "NOZEROCONF": "yes",
				}},
				{
					[]string{
						"GATEWAY=10.1.0.254\nGATEWAYDEV=eth9\n" + text(networkFile),
						"IPADDR=10.1.0.2\nGATEWAY=10.1.0.253\nDEFROUTE=no\n" + text(scriptsDir+"ifcfg-"+dev),
					},
					map[string]string{"IPADDR": "10.1.0.2", "GATEWAY": "10.1.0.1", "GATEWAYDEV": dev, "DEFROUTE": "yes"},
				},
			} {
				if d := cmp.Diff(c.want, sourced(t, shell, c.texts...)); d != "" {
					t.Errorf("%s, %s: %s", shell[0], dev, d)
				}
			}
		}
	}
}

func TestIfcfg(t *testing.T) {
	read := func(lines ...string) map[string]Ifcfg {
		text := ""
		for _, line := range lines {
			name, value, _ := strings.Cut(line, "=")
			i := strings.LastIndexByte(name, ':')
			if _, label, alias := strings.Cut(name[:i], "ifcfg-"); alias && strings.Contains(label, ":") {
				text += "alias " + label + "\n"
			}
			text += "" + scriptsDir + name[:i] + ":1" + name[i:] + "=" + value + "\n"
		}
		return Parse(text).Ifcfg
	}
	file := func(name, first string) Ifcfg {
		f := Ifcfg{Path: scriptsDir + name, OnBoot: true}
		if first != "" {
			f.First = netip.MustParsePrefix(first)
		}
		return f
	}
	for _, c := range []struct {
		name  string
		lines []string
		want  map[string]Ifcfg
	}{
		{"not at boot", []string{"ifcfg-eth0:DEVICE=eth0", `ifcfg-eth0:ONBOOT="no"`}, map[string]Ifcfg{"eth0": {Path: scriptsDir + "ifcfg-eth0"}}},
		{"a backup", []string{"ifcfg-eth0.rpmsave:DEVICE=eth0"}, map[string]Ifcfg{}},
		{"DHCP", []string{"ifcfg-eth0:BOOTPROTO=dhcp", "ifcfg-eth0:IPADDR=10.1.0.2", "ifcfg-eth0:PREFIX=24"}, map[string]Ifcfg{"eth0": file("ifcfg-eth0", "")}},
		{"PREFIX first", []string{`ifcfg-eth0:IPADDR="10.1.0.2"`, "ifcfg-eth0:PREFIX=24", "ifcfg-eth0:NETMASK=255.255.0.0"}, map[string]Ifcfg{"eth0": file("ifcfg-eth0", "10.1.0.2/24")}},
		{"NETMASK", []string{"ifcfg-eth0:IPADDR0=10.1.0.2 # ours", "ifcfg-eth0:NETMASK0=255.255.0.0"}, map[string]Ifcfg{"eth0": file("ifcfg-eth0", "10.1.0.2/16")}},
		{"neither", []string{"ifcfg-eth0:IPADDR=10.1.0.2"}, map[string]Ifcfg{"eth0": file("ifcfg-eth0", "")}},
		{"an alias is no device", []string{"ifcfg-lo:DEVICE=lo", "ifcfg-lo:0:DEVICE=lo:0"}, map[string]Ifcfg{"lo": file("ifcfg-lo", "")}},
		{"the file of its name wins", []string{"ifcfg-System_eth0:DEVICE=eth0", "ifcfg-eth0:DEVICE=eth0"}, map[string]Ifcfg{"eth0": file("ifcfg-eth0", "")}},
		{"another name", []string{"ifcfg-System_eth0:DEVICE=eth0"}, map[string]Ifcfg{"eth0": file("ifcfg-System_eth0", "")}},
	} {
		if d := cmp.Diff(c.want, read(c.lines...), same); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// TestGatewayLeft has default routes that ifup-eth would set otherwise, or not at all. They
// are left to the boot script.
func TestGatewayLeft(t *testing.T) {
	first := netip.MustParsePrefix("10.1.0.11/24")
	for name, c := range map[string]struct {
		ifcfg  map[string]Ifcfg
		native bool
	}{
		"static":          {map[string]Ifcfg{"eth0": {Path: scriptsDir + "ifcfg-eth0", OnBoot: true, First: first}}, true},
		"DHCP":            {map[string]Ifcfg{"eth0": {Path: scriptsDir + "ifcfg-eth0", OnBoot: true, First: netip.Prefix{}}}, false},
		"another subnet":  {map[string]Ifcfg{"eth0": {Path: scriptsDir + "ifcfg-eth0", OnBoot: true, First: netip.MustParsePrefix("10.2.0.11/24")}}, false},
		"another's name":  {map[string]Ifcfg{"eth0": {Path: scriptsDir + "ifcfg-uplink", OnBoot: true, First: first}}, false},
		"no file at boot": {nil, false},
	} {
		live := state.New()
		live.Init = state.InitSystemd
		out := Files(Input{
			Topology: "web", System: netsystem.NetworkScripts, Boot: Boot{NetworkScripts: true, Ifcfg: c.ifcfg}, Live: live, Before: state.New(),
			Want: made(route("0.0.0.0/0", 0, "10.1.0.1", "eth0"), address("10.1.0.100/32", "eth0")),
		})
		_, native := out.Blocks[state.BlockKey{Path: networkFile, Topology: "web"}]
		left := strings.Contains(out.Files["/etc/lvsctl/web.sh"].Text, "ip -4 route replace default via 10.1.0.1 dev eth0 || s=1\n")
		if native != c.native || left == c.native {
			t.Errorf("%s: in the network's files: %t, in the boot script: %t", name, native, left)
		}
		_, alias := out.Blocks[state.BlockKey{Path: scriptsDir + "ifcfg-eth0:0", Topology: "web"}]
		if alias != (c.ifcfg != nil) {
			t.Errorf("%s: an alias's file: %t", name, alias)
		}
	}
}
