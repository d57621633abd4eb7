package state

import (
	"strconv"
	"strings"
)

// PortNumber reads a port as people write it: a number, or a name as in /etc/services. A
// file is read alike on all machines, so the names that are balanced somewhere are here.
func PortNumber(word string) (uint16, bool) {
	n, err := strconv.ParseUint(word, 10, 16)
	if err == nil {
		return uint16(n), true
	}
	for line := range strings.Lines(portNames) {
		names := strings.Fields(line)
		for _, name := range names[1:] {
			if name == strings.ToLower(word) {
				n, err = strconv.ParseUint(names[0], 10, 16)
				return uint16(n), err == nil
			}
		}
	}
	return 0, false
}

// portNames are from the service name registry of IANA (RFC 6335), with the other names
// that Debian's and Red Hat's /etc/services have.
const portNames = `7 echo
13 daytime
20 ftp-data
21 ftp
22 ssh
23 telnet
25 smtp mail
37 time timserver
42 nameserver
43 whois nicname
49 tacacs
53 domain nameserver
67 bootps
68 bootpc
69 tftp
79 finger
80 http www www-http
88 kerberos kerberos5 krb5 kerberos-sec
109 pop2
110 pop3 pop-3
111 sunrpc portmapper
113 auth ident
119 nntp
123 ntp
135 epmap
137 netbios-ns
138 netbios-dgm
139 netbios-ssn
143 imap2 imap
161 snmp
162 snmptrap snmp-trap
179 bgp
194 irc
389 ldap
443 https
445 microsoft-ds
464 kpasswd
465 submissions ssmtp smtps urd
500 isakmp
512 exec biff
513 login who
514 shell syslog cmd
515 printer
554 rtsp
587 submission
623 asf-rmcp
631 ipp
636 ldaps
646 ldp
853 domain-s
873 rsync
989 ftps-data
990 ftps
993 imaps
995 pop3s
1080 socks
1194 openvpn
1433 ms-sql-s
1434 ms-sql-m
1494 ica
1521 oracle ncube-lm
1645 datametrics
1646 sa-msg-port
1701 l2f l2tp
1723 pptp
1812 radius
1813 radius-acct radacct
1883 mqtt
2049 nfs
2379 etcd-client
3128 squid ndl-aas
3260 iscsi-target
3306 mysql
3389 ms-wbt-server rdp
3478 stun nat-stun-port
4500 ipsec-nat-t
5060 sip
5061 sip-tls sips
5222 xmpp-client jabber-client
5269 xmpp-server jabber-server
5353 mdns
5432 postgresql postgres
5671 amqps
5672 amqp
6379 redis
6443 sun-sr-https
6667 ircd
8000 irdmi
8008 http-alt
8009 ajp13
8080 http-alt webcache http-proxy
8140 puppet
8443 pcsync-https
8883 secure-mqtt
9418 git
11211 memcache memcached
27017 mongodb
`
