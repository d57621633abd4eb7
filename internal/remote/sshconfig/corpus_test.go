package sshconfig

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// values are some of what may stand behind each keyword, what ssh refuses
// included.
var values = map[string][]string{
	"HostName":                    {"10.0.0.1", "WEB.Example.com", "%h.example.com", "%%x", "%n", "FD00::1", "fd00:0:0::1", "::ffff:10.0.0.1", "a b", `""`, "${HOME}"},
	"User":                        {"op", "OP", `"a b"`, `""`, "a b", "o'p", "none"},
	"Port":                        {"2222", "0", "65535", "65536", "-1", "ssh", "http", "22x", "022", `"23"`, "no-such-service"},
	"AddressFamily":               {"any", "inet", "inet6", "INET", "ipv4", "none"},
	"BindAddress":                 {"10.0.0.9", "none", "a b"},
	"BindInterface":               {"eth0", `""`},
	"ConnectTimeout":              {"5", "0", "none", "NONE", "1m", "1m30s", "1h1m1s", "2H", "1d", "1w", "s", "5x", "-1", "1m30", "30 5", "99999999999", `"7"`},
	"ProxyJump":                   {"gw", "op@gw:2222", "a,b", "a, b", "ssh://op@gw:23", "ssh://gw/", "[fd00::1]:22", "none", "NONE", "gw # the gateway", "gw:http", "gw:0", "a,,b", "@gw", "gw:", "op@[fd00::1]", "fd00::1", "a@b@c", `"gw"`, "%r@gw"},
	"ProxyCommand":                {"none", "NONE", "nc %h %p", "nc %h %p # no comment", `"nc" -x "a b"`, "= nc"},
	"ProxyUseFdpass":              {"yes", "no", "maybe"},
	"IdentityFile":                {"~/.ssh/a", "none", "/a b", `"/a b"`, `/a\ b`, `'/a b'`, "%d/k", "/${LVSCTL_TEST_FOLDER}/k", `""`, `"/open`, `/a"b c"d`, "#", "/a#b", "/a #b"},
	"CertificateFile":             {"~/.ssh/a-cert.pub", "none", `"/a b"`, "a b"},
	"IdentitiesOnly":              {"yes", "no", "YES", "True", "false", "1", "maybe", "yes no", `"yes"`},
	"IdentityAgent":               {"none", "SSH_AUTH_SOCK", "/agent", `"/a b"`},
	"PubkeyAuthentication":        {"yes", "no", "unbound", "host-bound", "off"},
	"PreferredAuthentications":    {"publickey", "password,publickey", "none", "a b"},
	"UserKnownHostsFile":          {"/a", "/a /b", `"/a b" /c`, "none", "None", "none /a", "/a none", "~/k", "${LVSCTL_TEST_FOLDER}/k", "%d/k", "/k-%h-%n-%p-%r-%u-%i-%L-%l-%C-%k", "/k-%%", "/k-%x", "/k-%", "/a # b", `/a ""`, "${NO_SUCH_VARIABLE}/k", "~nobody/k"},
	"GlobalKnownHostsFile":        {"/a", "/a /b", "none", "/a none", "~/k"},
	"HostKeyAlias":                {"w", "W.Example.com", "a b"},
	"StrictHostKeyChecking":       {"yes", "no", "ask", "off", "accept-new", "Accept-New", "true", "false", "maybe"},
	"CheckHostIP":                 {"yes", "no", "ask"},
	"KnownHostsCommand":           {"/bin/true %H", "none"},
	"RevokedHostKeys":             {"/revoked", "none"},
	"RequiredRSASize":             {"2048", "1024", "x", "-5", "1.5"},
	"PKCS11Provider":              {"/usr/lib/p.so", "none"},
	"CanonicalizeHostname":        {"yes", "no", "always", "maybe", "true"},
	"CanonicalizeMaxDots":         {"0", "2", "x"},
	"CanonicalizeFallbackLocal":   {"yes", "no", "x"},
	"CanonicalDomains":            {"invalid", "a.invalid b.invalid", "none", "a..b", "-a", "a_b.c-d", "a/b"},
	"CanonicalizePermittedCNAMEs": {"none", "*.a", "*.a:", "none *"},
	"PubkeyAcceptedKeyTypes":      {"ssh-ed25519"},
	"IdentityFile2":               {"~/old"},
	"ForwardX11":                  {"yes", "maybe"},
	"ServerAliveInterval":         {"15", "1m", "x"},
	"Compression":                 {"yes", "6"},
	"Protocol":                    {"2", "1,2"},
	"SendEnv":                     {"LANG LC_*"},
	"NoSuchKeyword":               {"x"},
	"":                            {"# a comment", "=", " \t"},
}

// forms are ways to write a keyword K and its value V.
var forms = []string{
	"K V\n", "K=V\n", "K = V\n", "\tK\tV\t\n", "k V\n", "KK V\n", "K V\r\n", "K  =V", "K\n", "K =\n", "K == V\n",
	"\"K\" V\n", "\"K\"=V\n", "K\"\" V\n", "\"K V\n", "=K V\n", " = K V\n", "K # V\n", "K V # c\n", "K V V\n", "K 'V'\n", "K V\\ x\n", "K V \\\n",
}

// blocks are ways to say that a value is for some hosts; V stands for the values,
// each of which names what it belongs to.
var blocks = []string{
	"Host web\nV1\nHost *\nV2\n",
	"Host db\nV1\nHost w?b\nV2\n",
	"Host * !web\nV1\nHost *\nV2\n",
	"Host !web *\nV1\nHost *\nV2\n",
	"Host !db\nV1\n",
	"Host !db web\nV1\n",
	"Host WEB\nV1\nHost *\nV2\n",
	"Host \"web\" db\nV1\n",
	"Host=web\nV1\n",
	"Host db,web\nV1\nHost *\nV2\n",
	"Host web # db\nV1\n",
	"Host \"\"\nV1\n",
	"Host\nV1\n",
	"Host **b\nV1\nHost w*\nV2\n",
	"Host *.* \nV1\nHost ?\nV2\n",
	"V1\nHost web\nV2\n",
	"Host web\nV1\nMatch all\nV2\n",
	"Match all\nV1\n",
	"Match !all\nV1\nMatch all\nV2\n",
	"Match host web\nV1\n",
	"Match host WEB\nV1\n",
	"Match host web,db\nV1\n",
	"Match host *,!web\nV1\nMatch host *\nV2\n",
	"Match host !db,*\nV1\n",
	"Match !host db\nV1\n",
	"Match !host web\nV1\nMatch all\nV2\n",
	"Match host \"web\"\nV1\n",
	"HostName 10.0.0.1\nMatch host 10.0.*\nV1\nMatch originalhost web\nV2\n",
	"HostName 10.0.0.1\nHost 10.0.0.1\nV1\nHost web\nV2\n",
	"Match host 10.0.*\nV1\nMatch all\nHostName 10.0.0.1\nMatch host 10.0.*\nV2\n",
	"HostName %h.example.com\nMatch host web.example.com\nV1\n",
	"Match originalhost web\nV1\n",
	"Match originalhost WEB host web\nV1\n",
	"Match originalhost db host web\nV1\nMatch all\nV2\n",
	"Match user ME\nV1\n",
	"Match user op\nV1\nMatch user ME\nV2\n",
	"User op\nMatch user op\nV1\n",
	"Match user ME\nV1\nMatch all\nUser op\nMatch user op\nV2\n",
	"Match localuser ME\nV1\n",
	"Match localuser nobody-here\nV1\nMatch !localuser nobody-here\nV2\n",
	"Match localuser ME,other user ME host web\nV1\n",
	"Match final\nV1\nMatch all\nV2\n",
	"Match final all\nV1\n",
	"Match !final\nV1\nMatch all\nV2\n",
	"Match final host web\nV1\nHost web\nV2\n",
	"Match canonical\nV1\nMatch all\nV2\n",
	"Match !canonical\nV1\n",
	"Match canonical all\nV1\nMatch final all\nV2\n",
	"HostName 10.0.0.1\nMatch final host 10.0.0.1\nV1\n",
	"HostName 10.0.0.1\nMatch final\nBindAddress 1.2.3.4\nHost 10.0.0.1\nV1\n",
	"HostName Real.Example.com\nMatch final\nBindAddress 1.2.3.4\nHost real.*\nV1\nHost *\nV2\n",
	"CanonicalizeHostname yes\nMatch canonical\nV1\nMatch all\nV2\n",
	"CanonicalizeHostname yes\nCanonicalDomains nowhere.invalid\nMatch canonical host web\nV1\n",
	"CanonicalizeHostname yes\nCanonicalDomains nowhere.invalid\nCanonicalizeFallbackLocal no\nV1\n",
	"CanonicalizeHostname always\nProxyJump gw\nMatch canonical\nV1\n",
	"CanonicalizeHostname yes\nProxyJump gw\nMatch canonical\nV1\n",
	"CanonicalizeHostname yes\nHostName 10.0.0.1\nMatch canonical host 10.0.0.1\nV1\n",
	"Match\nV1\n",
	"Match # all\nV1\n",
	"Match host\nV1\n",
	"Match nothing web\nV1\n",
	"Match host web all\nV1\n",
	"Match all host web\nV1\n",
	"Match host web user ME all\nV1\n",
	"Match all # every host\nV1\n",
	"Match HOST web\nV1\n",
	"Include DIR/one\nV2\n",
	"Include DIR/one DIR/two\n",
	"Include DIR/o*\n",
	"Include DIR/none-*\nV2\n",
	"Include DIR/no-such-file\nV2\n",
	"Include \"DIR/one\"\n",
	"Include DIR/block\nV2\n",
	"Host db\nInclude DIR/one\nHost web\nV2\n",
	"Host db\nInclude DIR/block\nV1\nHost web\nV2\n",
	"Host web\nInclude DIR/block\nV1\nHost *\nV2\n",
	"Host web\nInclude DIR/leaves\nV1\nHost *\nV2\n",
	"Host db\nInclude DIR/bad\nHost *\nV2\n",
	"Include DIR/bad\n",
	"Include DIR/config\n",
	"Match final all\nInclude DIR/one\nHost *\nV2\n",
	"Include\n",
	"IgnoreUnknown Foo*,BAR\nFooBar 1\nbar 2\nV1\n",
	"IgnoreUnknown Foo\nBar 1\nV1\n",
	"FooBar 1\nIgnoreUnknown Foo*\nV1\n",
	"Host db\nFooBar 1\nHost web\nV1\n",
	"Host db\nPort x\nHost web\nV1\n",
	"ProxyCommand none\nProxyJump gw\nV1\n",
	"ProxyJump none\nProxyCommand nc\nV1\n",
	"ProxyJump gw\nProxyCommand nc\nV1\n",
	"ProxyCommand nc\nProxyJump gw\nV1\n",
	"Host web\nProxyCommand none\nHost *\nProxyJump bastion\nV1\n",
	"IdentityFile /a\nIdentityFile /b\nIdentityFile /a\nV1\n",
	"CertificateFile /a\nIdentityFile none\nCertificateFile /b\nV1\n",
	"Match final all\nIdentityFile /z\nHost *\nIdentityFile /a\n",
	"UserKnownHostsFile /a\nUserKnownHostsFile /b /c\n",
	"\xef\xbb\xbfV1\n",
	"V1",
	"\f\nV1\f\n",
}

// corpus is every keyword with every value, every way to write it, and every way
// to say whom it is for.
func corpus(me string) []question {
	var all []question
	for keyword, some := range values {
		for _, v := range some {
			for i, host := range []string{"web", "WEB.Example.com"} {
				if i == 1 && !strings.ContainsAny(v, "%$") {
					continue
				}
				all = append(all, question{title: keyword, config: keyword + " " + v + "\n", host: host})
			}
		}
	}
	for _, kv := range [][2]string{{"Port", "2222"}, {"IdentityFile", `"/a b"`}, {"ProxyCommand", "nc x"}, {"UserKnownHostsFile", "/a"}, {"CanonicalDomains", "a.invalid"}} {
		for _, form := range forms {
			text := strings.NewReplacer("K", kv[0], "k", strings.ToLower(kv[0]), "V", kv[1]).Replace(form)
			all = append(all, question{title: "form", config: text, host: "web"})
		}
	}
	fill := strings.NewReplacer("V1", "Port 1001\nIdentityFile /1\nConnectTimeout 1m", "V2", "Port 1002\nIdentityFile /2\nHostKeyAlias two", "ME", me)
	files := map[string]string{
		"one":    "Port 1\n",
		"two":    "Port 2\nUser two\n",
		"block":  "Host db\n  Port 3\nHost web\n  Port 4\nMatch host web\n  User five\n",
		"leaves": "Host db\n",
		"bad":    "NoSuchKeyword 1\n",
	}
	for _, b := range blocks {
		all = append(all, question{title: "block", config: fill.Replace(b), files: files, host: "web"})
	}
	for _, host := range []string{"web", "WEB", "10.0.0.1", "FD00::1", "web.", "a.b.c", "op@web"} {
		for _, config := range []string{"Port 1\n", "Host WEB\n Port 1\n", "Host web\n Port 1\n", "HostName %h.example.com\n", "Match host web\n Port 1\n", "Match originalhost web\n Port 1\n"} {
			if !strings.Contains(host, "@") { // a topology has user for that
				all = append(all, question{title: "host", config: config, host: host})
			}
		}
	}
	for _, config := range []string{"User op\nPort 1\n", "Match user adm\n Port 1\n", "Match user op\n Port 1\n IdentityFile /%r/%p\n UserKnownHostsFile /%r/%p/%C\n"} {
		all = append(all,
			question{title: "command line", config: config, host: "web", user: "adm"},
			question{title: "command line", config: config, host: "web", user: "adm", port: 23})
	}
	for i := range all {
		all[i].title = fmt.Sprintf("%d %s", i, all[i].title)
	}
	return all
}

// pieces are lines that mixed configs are made of.
var pieces = []string{
	"Host web", "Host db", "Host *", "Host w* !web", "Host 10.0.0.?", "Host !db *", "Host *.example.com",
	"Match all", "Match host web", "Match host *.example.com,10.*", "Match originalhost web,db", "Match !host db",
	"Match user op", "Match user ME,op !host 10.*", "Match localuser ME", "Match final", "Match final all",
	"Match canonical", "Match final originalhost web host 10.*", "Match !originalhost web",
	"HostName 10.0.0.1", "HostName %h.example.com", "HostName db", "User op", "User ME", "Port 1", "Port 2",
	"IdentityFile /a", "IdentityFile /b", "CertificateFile /c", "ConnectTimeout 1m", "ConnectTimeout none",
	"ProxyJump none", "ProxyJump gw", "ProxyJump op@gw:23,inner", "ProxyCommand none", "ProxyCommand nc %h",
	"UserKnownHostsFile /k-%h-%p-%r", "UserKnownHostsFile none", "GlobalKnownHostsFile /g", "IdentitiesOnly yes",
	"IdentitiesOnly no", "HostKeyAlias one", "StrictHostKeyChecking accept-new", "CanonicalizeHostname yes",
	"CanonicalDomains nowhere.invalid", "Include DIR/one", "Include DIR/block", "Include DIR/one DIR/two", "Include DIR/final",
}

// mixed are configs made of random pieces, the same ones in every run.
func mixed(me string) []question {
	draw := rand.New(rand.NewPCG(1, 2))
	files := map[string]string{
		"one":   "Port 3\nHost db\nPort 4\n",
		"two":   "Match host 10.*\nUser two\n",
		"block": "Host web\nIdentityFile /block\nHost *\nUser block\n",
		"final": "Match final\nPort 5\nIdentityFile /final\n",
	}
	var all []question
	for i := range 250 {
		var b strings.Builder
		for range 3 + draw.IntN(12) {
			b.WriteString(strings.ReplaceAll(pieces[draw.IntN(len(pieces))], "ME", me) + "\n")
		}
		host := []string{"web", "web", "db", "WEB", "10.0.0.1"}[draw.IntN(5)]
		all = append(all, question{title: fmt.Sprint("mixed ", i), config: b.String(), files: files, host: host})
	}
	return all
}
