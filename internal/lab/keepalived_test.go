package lab

import (
	"fmt"
	"testing"
)

// keepalivedPair is the keepalived.conf of a host: a VRRP instance on the LAN of both,
// and a virtual server with a health check.
const keepalivedPair = `global_defs {
  vrrp_version 3
}
vrrp_instance pair {
  state BACKUP
  interface %[1]s
  virtual_router_id 51
  priority %[2]d
  advert_int 0.2
  virtual_ipaddress {
    10.1.0.105/32 dev %[1]s
  }
}
virtual_server 10.1.0.105 80 {
  delay_loop 2
  lb_algo wrr
  lb_kind DR
  protocol TCP
  real_server 10.1.0.11 80 {
    weight %[3]d
    TCP_CHECK {
      connect_timeout 3
    }
  }
}
`

// checkKeepalived starts keepalived on two hosts by its script in /etc/init.d, as on a
// host without systemd. They see each other's adverts, and each host has its own files,
// process and IPVS table.
func checkKeepalived(t *testing.T, l *Lab) {
	configure := func(host, dev string, priority, weight int) {
		on(t, l, host, "cat >/etc/keepalived/keepalived.conf <<'END'\n"+fmt.Sprintf(keepalivedPair, dev, priority, weight)+"END")
	}
	const (
		vip   = "ip -o address show to 10.1.0.105"
		entry = "ipvsadm -Sn | grep -e '-a -t 10.1.0.105:80'"
	)
	await := func(host, what, script string) {
		t.Helper()
		on(t, l, host, "for i in $(seq 300); do if "+script+"; then exit 0; fi; sleep 0.1; done; echo '"+what+"' >&2; ip -o address >&2; ipvsadm -Sn >&2; exit 1")
	}
	configure("director", "ens33", 100, 1)
	configure("router", "eth0", 90, 1)
	// The backup starts first. It would keep the address if it got no adverts.
	on(t, l, "router", "service keepalived start; update-rc.d keepalived defaults; test -x /etc/rc2.d/S01keepalived")
	await("router", "a backup alone does not take the address", vip+" | grep -q .")
	on(t, l, "director", "/etc/init.d/keepalived start")
	await("director", "the master does not take the address", vip+" | grep -q .")
	await("router", "the backup does not hear the master", "! "+vip+" | grep -q .")
	for _, host := range []string{"director", "router"} {
		await(host, "the real server is not in the table", entry+" | grep -q 'w 1$'")
	}

	// A reload keeps the process.
	configure("director", "ens33", 80, 7)
	on(t, l, "director", "cp /run/keepalived.pid /root; /etc/init.d/keepalived reload")
	await("director", "the weight is the old one", entry+" | grep -q 'w 7$'")
	await("router", "the priority is the old one", vip+" | grep -q .")
	on(t, l, "director", "cmp /run/keepalived.pid /root/keepalived.pid; kill -0 $(cat /run/keepalived.pid)")

	for _, host := range []string{"director", "router"} {
		on(t, l, host, "service keepalived stop; update-rc.d keepalived remove; rm /etc/keepalived/keepalived.conf")
		await(host, "something of it stays", "! test -e /run/keepalived.pid && ! test -e /etc/rc2.d/S01keepalived && ! "+vip+" | grep -q . && ! "+entry)
	}
}
