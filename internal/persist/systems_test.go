package persist

import (
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/internal/lab/labtest"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// surroundings is what a host has of its own when lvsctl comes, and what is wanted there.
type surroundings struct {
	files map[string]string
	want  *state.State
	// dhcp gives eth0 its address by a lease.
	dhcp bool
}

// eachKind has an entry of each kind that a network system brings back: VIPs, default routes
// and others, of both families.
var eachKind = made(
	address("10.1.0.100/32", "eth0"), address("2001:db8::100/128", "eth0"), address("10.9.0.1/32", "lo"), address("2001:db8:9::1/128", "lo"),
	route("0.0.0.0/0", 0, "10.1.0.1", "eth0"), route("10.60.0.0/16", 0, "10.1.0.9", "eth0"),
	route("::/0", 0, "2001:db8::1", "eth0"), route("2001:db8:60::/48", 0, "2001:db8::9", "eth0"),
)

// byRule has what no file of a network system holds.
var byRule = made(ruled("10.1.0.2", "10.1.0.1", "eth0"), address("10.1.0.100/32", "eth0"))

// TestDebians boots hosts whose network systems bring up what an administrator wrote, and
// what lvsctl adds to it: beside nothing, and where the same address, alias, destination or
// default stands already, in each spelling. Whatever is the host's own comes up, before and
// after. What is wanted is there after a boot, and after the network system has read its
// files again; or the plan says by what it comes back. In the end all is as it was before.
func TestDebians(t *testing.T) {
	labtest.Need(t, func() error { return lab.CheckTools(lab.Options{System: lab.Ifupdown}) })
	need(t, "busybox", "nsenter")
	if os.Geteuid() != 0 {
		t.Skip("left out: namespaces need root")
	}
	for system, cases := range map[netsystem.Name]map[string]surroundings{
		netsystem.Ifupdown:       ifupdownHosts,
		netsystem.Netplan:        netplanHosts,
		netsystem.Networkd:       networkdHosts,
		netsystem.NetworkManager: networkManagerHosts,
	} {
		for name, c := range cases {
			t.Run(string(system)+"/"+name, func(t *testing.T) {
				t.Parallel()
				c.test(t, system)
			})
		}
	}
}

func (c surroundings) test(t *testing.T, system netsystem.Name) {
	d := newDebian(t, system, c.files)
	d.dhcp = c.dhcp
	d.boot()
	before := d.network()
	out := d.apply(c.want)
	d.holds("applied", c.want, before, out)
	if strings.HasSuffix(t.Name(), "/plain") {
		d.failing(out, before)
	}
	d.boot()
	d.holds("booted", c.want, before, out)
	for _, command := range rereads[system] {
		d.sh(command)
		if m := commandAgain.FindStringSubmatch(said(out)); m != nil {
			d.sh("until " + m[1] + " 2>/dev/null; do sleep 0.05; done") // the daemon may not be through
		}
		d.holds(command, c.want, before, out)
	}
	d.apply(state.New())
	d.is("given back", before)
	d.sh(rereads[system][len(rereads[system])-1])
	d.is("given back and read again", before)
}

// rereads are the commands that have a network system read its files again and set what
// they say. Each ends when that is done.
var rereads = map[netsystem.Name][]string{
	netsystem.Ifupdown: {"ifdown eth0; ifup eth0", "systemctl restart networking"},
	netsystem.Netplan:  {dropped("touch /etc/netplan/* && netplan apply")},
	netsystem.Networkd: {
		dropped("touch /etc/systemd/network/* && networkctl reload"),
		dropped("networkctl reconfigure eth0"),
		"systemctl restart systemd-networkd",
	},
	netsystem.NetworkManager: {
		dispatched("nmcli connection reload && nmcli connection up eth0", "eth0 up"),
		dispatched("nmcli device reapply eth0", "eth0 reapply"),
		dispatched("nmcli networking off && nmcli networking on && nm-online -q", "eth0 up", "lo up"),
		dispatched("systemctl restart NetworkManager && nm-online -q -s", "eth0 up", "lo up"),
	},
}

// dispatched is a command after which NetworkManager runs its scripts, with a wait for
// those of some events. The last script of a host tells of each.
func dispatched(command string, events ...string) string {
	return ": >/run/dispatched; { " + command + "; } || exit\n" +
		"if [ -c /etc/systemd/system/NetworkManager-dispatcher.service ]; then exit; fi\n" +
		"for e in '" + strings.Join(events, "' '") + "'; do until grep -q -x \"$e\" /run/dispatched; do sleep 0.05; done; done"
}

// dropped is a command that has networkd remove from eth0 what it does not know, with a
// wait for that.
func dropped(command string) string {
	return "ip addr add 192.0.2.77/32 dev eth0; { " + command + "; } || exit\nwhile ip addr show dev eth0 | grep -q -F 192.0.2.77; do sleep 0.05; done"
}

// commandAgain finds in a note by what it comes back that the network system has removed.
var commandAgain = regexp.MustCompile(`removes it, and (/bin/sh \S+ network) sets it again`)

// holds sees that the host has what is wanted, and what was its own before: patiently,
// because hooks and daemons go on after a command has ended.
func (d *debian) holds(when string, want *state.State, before string, out Output) {
	d.Helper()
	var wrong []string
	for end := time.Now().Add(time.Minute); ; {
		wrong = nil
		changes, _, _ := d.plan(want)
		for _, c := range changes {
			wrong = append(wrong, c.Op.Symbol()+" "+c.Ref.String()+" "+c.Before+" -> "+c.After)
		}
		have := "\n" + d.network()
		for line := range strings.Lines(before) {
			if !gives.MatchString(line) && !strings.Contains(have, "\n"+line) {
				wrong = append(wrong, "gone: "+line)
			}
		}
		for k := range want.Addresses {
			line := k.Dev + " inet6 " + k.Prefix.Addr().String() + "/"
			if k.Prefix.Addr().Is6() && !strings.Contains("\n"+before, "\n"+line) && !regexp.MustCompile("\n"+line+".*deprecated").MatchString(have) {
				wrong = append(wrong, "may be a source: "+k.String())
			}
		}
		if len(wrong) == 0 {
			return
		}
		if time.Now().After(end) {
			d.Fatalf("%s:\n%s\nthe host has\n%s\nlvsctl said:\n%s", when, strings.Join(wrong, "\n"), have, said(out))
		}
	}
}

// gives are the lines of network that may change: routes that make way for wanted ones,
// and the label that ifup of eth0 does not give back by itself.
var gives = regexp.MustCompile(`^main (default|10\.60\.|2001:db8:60:)|eth0:0\n|broadcast 10\.1\.0\.100 `)

// is sees that the host has exactly what it had before.
func (d *debian) is(when, before string) {
	d.Helper()
	have := d.network()
	for end := time.Now().Add(time.Minute); have != before && time.Now().Before(end); {
		have = d.network()
	}
	if have != before {
		d.Fatalf("%s, the host has\n%s\nit had\n%s", when, have, before)
	}
}

// failing boots the host with files of lvsctl's that fail, each in its way: whatever is its
// own comes up all the same. Then they are as they were.
func (d *debian) failing(out Output, before string) {
	d.Helper()
	broken := map[string]string{}
	for path := range out.Files {
		if strings.HasPrefix(path, "/etc/network/if-up.d/") {
			continue // it runs the script, and its last line is exit 0
		}
		broken[path] = "#!/bin/sh\necho x >/proc/none\nexit 3\n"
	}
	for k := range out.Blocks {
		broken[k.Path] = "[Match]\nName=none\n[Address]\nAddress=10.1.0.300/32\n[Route]\nGateway=10.1.0\nGat"
	}
	d.off()
	whole := map[string]string{}
	for path := range broken {
		whole[path] = d.file(path)
	}
	d.put(broken)
	d.boot()
	have := "\n" + d.network()
	for line := range strings.Lines(before) {
		if !strings.Contains(have, "\n"+line) {
			d.Errorf("when lvsctl's files fail, the host is without\n%sand has\n%s", line, have)
		}
	}
	d.off()
	d.put(whole)
}

// with is some files and others.
func with(files map[string]string, more ...string) map[string]string {
	all := maps.Clone(files)
	for n := 0; n < len(more); n += 2 {
		all[more[n]] = more[n+1]
	}
	return all
}

// byHand is a service that sets things before any network system comes.
func byHand(commands ...string) []string {
	unit := "[Unit]\nDefaultDependencies=no\nBefore=network-pre.target\nWants=network-pre.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
	for _, c := range commands {
		unit += "ExecStart=/usr/sbin/ip " + c + "\n"
	}
	return []string{"/etc/systemd/system/hand.service", unit, "/etc/systemd/system/sysinit.target.wants/hand.service", "->../hand.service"}
}
