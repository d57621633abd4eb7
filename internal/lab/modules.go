package lab

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// vitalModules are the modules without which a lab cannot start.
var vitalModules = []string{"virtio_pci", "virtio_net", "veth", "bridge", "ip_vs"}

// hostModules are the modules that the hosts may load, or the kernel by itself. The
// modules that they depend on are packed too. br_netfilter is left out on purpose: it
// would pass the segments' frames through the hosts' firewall.
var hostModules = strings.Fields(`
	ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_lblc ip_vs_lblcr ip_vs_dh ip_vs_sh ip_vs_sed ip_vs_nq ip_vs_fo
	ip_vs_ovf ip_vs_mh ip_vs_twos ip_vs_ftp ip_vs_pe_sip
	ipip sit ip6_tunnel tunnel4 tunnel6 ip_tunnel ip_gre ip6_gre fou dummy macvlan 8021q bonding tun
	nf_conntrack nf_conntrack_netlink nf_conntrack_ftp nf_conntrack_sip nf_nat nf_nat_ftp nf_tables nft_compat
	nft_chain_nat nft_ct nft_nat nft_masq nft_redir nft_reject_inet nft_limit nft_log nft_counter nft_fib_inet nft_hash
	ip_tables iptable_nat iptable_mangle iptable_filter iptable_raw
	ip6_tables ip6table_nat ip6table_mangle ip6table_filter ip6table_raw
	x_tables xt_ipvs xt_mark xt_connmark xt_MASQUERADE xt_nat xt_REDIRECT xt_TCPMSS xt_tcpmss xt_comment xt_tcpudp xt_multiport
	xt_conntrack xt_state xt_addrtype xt_pkttype xt_statistic xt_limit xt_CT xt_LOG xt_dscp xt_DSCP xt_sctp xt_physdev xt_iprange
	xt_length xt_mac xt_owner xt_recent xt_string xt_TRACE xt_hl xt_set ip_set ip_set_hash_ip ip_set_hash_net
	ipt_REJECT ip6t_REJECT nf_log_syslog
	arp_tables arptable_filter arpt_mangle
	sch_netem sch_tbf sch_htb sch_prio sch_ingress cls_u32 cls_matchall act_mirred
	inet_diag tcp_diag udp_diag raw_diag unix_diag af_packet_diag netlink_diag
	sctp sctp_diag virtio_blk overlay configs
	ext4 crc32c_generic crc32c_intel autofs4 binfmt_misc efi_pstore fuse loop virtio_rng tls`)

// rootModules are needed to mount the root file system of a whole Debian.
var rootModules = []string{"virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic"}

// moduleName is the name modprobe knows a file by:
// kernel/net/netfilter/ipvs/ip_vs.ko.xz -> ip_vs.
func moduleName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// stageModules copies the modules that a lab needs from a /lib/modules/VERSION to
// base, and indexes them there.
func stageModules(from, base, version string) error {
	text, err := os.ReadFile(filepath.Join(from, "modules.dep"))
	if err != nil {
		return fmt.Errorf("cannot read the kernel's modules: %w", err)
	}
	builtin, err := os.ReadFile(filepath.Join(from, "modules.builtin"))
	if err != nil {
		return fmt.Errorf("cannot read the kernel's modules: %w", err)
	}
	files, missing := moduleClosure(string(text), string(builtin), slices.Concat(vitalModules, hostModules))
	for _, name := range vitalModules {
		if slices.Contains(missing, name) {
			return fmt.Errorf("cannot use the kernel modules in %s: there is no %s", from, name)
		}
	}
	to := filepath.Join(base, "lib/modules", version)
	for _, file := range append(files, "modules.builtin", "modules.builtin.modinfo", "modules.order") {
		if err := copyFile(filepath.Join(from, file), filepath.Join(to, file)); err != nil {
			return err
		}
	}
	return depmod(base, version)
}

// moduleClosure returns the files of the named modules and of those that they depend
// on, sorted, and the names that this kernel does not have. A line of modules.dep
// (kmod 30) lists all dependencies, those of dependencies included:
//
//	kernel/net/netfilter/ipvs/ip_vs_rr.ko: kernel/net/netfilter/ipvs/ip_vs.ko kernel/net/netfilter/nf_conntrack.ko
func moduleClosure(dep, builtin string, names []string) (files, missing []string) {
	lines := map[string][]string{}
	for line := range strings.Lines(dep) {
		if file, rest, ok := strings.Cut(line, ":"); ok {
			lines[moduleName(file)] = append([]string{file}, strings.Fields(rest)...)
		}
	}
	inKernel := map[string]bool{}
	for file := range strings.FieldsSeq(builtin) {
		inKernel[moduleName(file)] = true
	}
	for _, name := range names {
		if found, ok := lines[name]; ok {
			files = append(files, found...)
		} else if !inKernel[name] {
			missing = append(missing, name)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), missing
}

// depmod indexes base/lib/modules/version.
func depmod(base, version string) error {
	path, err := findTool("depmod")
	if err != nil {
		return err
	}
	if out, err := exec.Command(path, "-b", base, version).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot index the kernel's modules: %w\n%s", err, out)
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("cannot copy %s: %w", from, err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("cannot copy %s: %w", from, err)
	}
	if err := os.WriteFile(to, data, fs.FileMode(0o644)); err != nil {
		return fmt.Errorf("cannot copy %s: %w", from, err)
	}
	return nil
}
