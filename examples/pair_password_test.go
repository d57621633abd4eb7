package examples_test

import "strings"

// passwords matches the new password of a pair, and the one before. It does not match itself
// in a list of processes.
const passwords = `hunte[r]2\|auth_pass *secre[t]`

// peeping looks at the processes of all hosts, and at the files of one that others than root
// can read, until the file /tmp/enough is there. What has a password goes to /tmp/seen, and
// each round ends with /tmp/round.
const peeping = `rm -f /tmp/enough /tmp/seen
while [ ! -e /tmp/enough ]; do
  grep -l '` + passwords + `' /proc/[0-9]*/cmdline /proc/[0-9]*/environ
  find /run /var /etc /tmp -type f -perm -004 | xargs grep -l '` + passwords + `'
  : >/tmp/round
  sleep 0.2
done >>/tmp/seen 2>/dev/null </dev/null &`

// pairNewPassword gives the pair another password, from a sensitive variable. That makes a
// director's adverts a stranger's to the other, so both are reloaded together. No process
// and no file that others can read shows the password meanwhile, of an apply that fails
// and of one that succeeds.
func pairNewPassword(p pair) {
	p.bring()
	defer p.write(pairPlain)
	p.Setenv("LVSCTL_VAR_pass", "hunter2")
	other := "variable \"pass\" {\n  sensitive = true\n}\n" + strings.Replace(pairPlain, `"`+pairPassword+`"`, "var.pass", 1)
	p.write(other)
	p.each(pairDirectors, peeping)
	// What it is to find, it finds. What is left of that has gone after a whole round.
	p.each(pairDirectors, `sh -c ': hunter2; sleep 60; :' </dev/null >/dev/null 2>&1 &
n=0; until [ -s /tmp/seen ]; do n=$((n + 1)); [ $n -lt 250 ] || exit 1; sleep 0.2; done; kill $!`)
	p.each(pairDirectors, `for n in 1 2; do rm -f /tmp/round; until [ -e /tmp/round ]; do sleep 0.1; done; done; : >/tmp/seen`)

	p.sh("d2", "mount --bind /etc/keepalived /etc/keepalived && mount -o remount,ro,bind /etc/keepalived")
	p.apply(4, "-v", "--commands")
	p.sh("d2", "umount /etc/keepalived")
	p.wantNoneLost(pairTarget, "another password", func() {
		if out := p.apply(0); !strings.Contains(out, "all its directors are reloaded within two adverts") {
			p.Errorf("the plan does not say that both are reloaded together:\n%s", out)
		}
	})
	p.wantHolder(pairVIP, pairDirectors, "d1")
	p.plan(0)
	p.lvsctl(0, "status", "--lab", "--json", p.topology)
	for d, have := range p.each(pairDirectors, `: >/tmp/enough
grep -q 'auth_pass hunte[r]2' /etc/keepalived/keepalived.conf && echo has it
cat /tmp/seen
grep -rl '`+passwords+`' /etc /var /run /tmp /root 2>/dev/null | grep -v -e ^/etc/keepalived/keepalived.conf$ -e ^/tmp/seen$ || :`) {
		if have != "has it\n" {
			p.Errorf("%s shows a password:\n%s", d, have)
		}
	}
}
