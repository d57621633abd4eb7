package adopt

import "strings"

// reason is why a topology has no word for one of keepalived's.
func reason(word string) string {
	for _, r := range reasons {
		for _, w := range strings.Fields(r.words) {
			if w == word || strings.HasSuffix(w, "*") && strings.HasPrefix(word, w[:len(w)-1]) {
				return r.why
			}
		}
	}
	return "a topology has no word for it"
}

// reasons are for words of keepalived.conf(5); one that ends in * is for all that begin so.
var reasons = []struct{ words, why string }{
	{"notification_email* smtp_* no_email_faults no_checker_emails", "lvsctl's keepalived sends no mail"},
	{"notify* quorum_up quorum_down startup_script* shutdown_script* vrrp_notify* lvs_notify* fifo_write*", "lvsctl's keepalived runs no programs but checks"},
	{"track_script track_file track_process track_bfd track_group vrrp_script vrrp_track_process vrrp_track_file bfd_instance", "a director gives its addresses away only when it or an interface is down"},
	{"garp* gna* vrrp_garp* vrrp_gna* vrrp_min_garp", "keepalived's own values for gratuitous ARP are right for a topology"},
	{"use_vmac* vmac_* use_ipvlan vrf vrrp_vmac* vrrp_garp_extra_if garp_extra_if", "addresses stand on the interface itself, and have its MAC address"},
	{"virtual_routes virtual_rules", "routes do not move with an instance; write a route that is always there as route { } of the director"},
	{"static_routes static_rules", "write it as route { } of the director, if lvsctl is to hold it"},
	{"vrrp_mcast_group4 vrrp_mcast_group6 mcast_dst_ip", "adverts go to VRRP's own group, or to the peers with unicast = true; change all directors at once"},
	{"accept", "it is what keepalived does without the word"},
	{"no_accept", "the VIPs of virtual servers have to accept packets"},
	{"vrrp_strict strict_mode", "it drops passwords and unicast, and everything that is sent to a VIP"},
	{"lvs_flush*", "it empties the director's whole table, with what others have in it"},
	{"preempt_delay vrrp_startup_delay vrrp_delay_after_boot", "a director takes over at once, or with preempt = false not at all"},
	{"ha_suspend", "directors of an instance hold its services always, and get requests only while they hold its addresses"},
	{"quorum hysteresis", "the sorry server answers when no real server is left"},
	{"alpha omega warmup rs_init_notifies", "a real server is used until its first check fails, and checks begin when keepalived does"},
	{"inhibit_on_failure", "a real server that fails its check is taken out, and put back when it passes"},
	{"sorry_server_inhibit sorry_server_lvs_method", "the sorry server has the mode of its service"},
	{"hashed", "it has no meaning for IPVS"},
	{"virtualhost", "a topology's http check asks for the real server's address"},
	{"digest regex* http_protocol fast_recovery enable_sni sni_name tls_compliant", "a topology's http check looks at the status alone"},
	{"misc_dynamic dynamic", "a real server's weight is the topology's"},
	{"user script_user script_security enable_script_security", "lvsctl writes enable_script_security and script_user root where a check runs a program"},
	{"connect_ip bindto bind_if bind_port fwmark", "a topology's check goes from the director to the real server's address"},
	{"payload require_reply min_reply_length max_reply_length", "a topology's udp check looks only whether the port is closed"},
	{"dont_track_primary linkbeat*", "an instance is down when its interface is"},
	{"enable_snmp* snmp_* enable_traps enable_dbus dbus_*", "lvsctl sets up no monitoring in keepalived"},
	{"snmp_name", "it is for monitoring"},
	{"native_ipv6 version v3_checksum_as_v2 old_unicast_checksum", "VRRP 2 is spoken, or 3 if advert_int has a fraction or all addresses are IPv6"},
	{"net_mask nat_mask lvs_id lvs_notify", "keepalived passes over it"},
	{"SSL", "a topology has no https check"},
}
