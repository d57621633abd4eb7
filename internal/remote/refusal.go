package remote

import (
	"fmt"
	"regexp"
	"strings"
)

// A refusal is a way in which a login ends without sh having begun, known by
// what is then printed. Its remedy has %[1]s for the user.
type refusal struct {
	kind    ErrorKind
	pattern *regexp.Regexp
	summary string
	remedy  string
}

// refusals, first match wins. The texts are sudo 1.7 to 1.9 and sudo-rs under
// LC_ALL=C, util-linux and shadow nologin, OpenSSH, dash, bash and busybox.
var refusals = []refusal{
	{KindSudo, regexp.MustCompile(`sudo: .*(a password is required|no tty present|interactive authentication is required)`),
		"sudo wants a password", sudoersRemedy},
	{KindSudo, regexp.MustCompile(`sudo: .*you must have a tty`),
		"sudo wants a terminal (requiretty)", "on the node, as root, with visudo: Defaults:%[1]s !requiretty"},
	{KindSudo, regexp.MustCompile(`(?i)is not in the sudoers file|may not run sudo|is not allowed to (execute|run)`),
		"sudo does not let this user run /bin/sh", sudoersRemedy},
	{KindSudo, regexp.MustCompile(`sudo['’]?: (command )?not found|['‘]?sudo['’]?: No such file or directory|Unknown command:? ['"]?sudo|sudo: Command not found|can't execute 'sudo'`),
		"there is no sudo", "install sudo there, or log in as root and leave out sudo = true"},
	{KindSudo, regexp.MustCompile(`(?m)^sudo: `),
		"sudo refuses", sudoersRemedy},
	{KindShell, regexp.MustCompile(`(?i)account is (currently )?not available|nologin`),
		"the login shell lets nobody in (nologin)", "on the node, as root: usermod -s /bin/sh %[1]s"},
	{KindShell, regexp.MustCompile(`(?i)password has expired|password change required|required to change your password`),
		"the user's password has expired and must be changed first", "log in by hand once: ssh, then passwd"},
	{KindShell, regexp.MustCompile(`(?i)this service allows sftp connections only`),
		"this login allows file transfer only (ForceCommand internal-sftp)", "use another user, or mend ForceCommand in the node's sshd_config"},
	{KindScript, regexp.MustCompile(`(?i)syntax error|unexpected end of file|unexpected EOF|unterminated quoted string`),
		"sh cannot parse the script", ""},
}

const sudoersRemedy = "on the node, as root: echo '%[1]s ALL=(root) NOPASSWD: /bin/sh' > /etc/sudoers.d/lvsctl && chmod 440 /etc/sudoers.d/lvsctl"

// neverBegan is the error of a login where the script's first mark never came:
// whatever ran, it was not our sh.
func neverBegan(end exit, out, errs string) *Error {
	text := strings.TrimSpace(errs + "\n" + out)
	if end.lost != "" {
		return &Error{Kind: KindLost, Summary: end.lost, Remedy: "nothing of the script ran"}
	}
	for _, r := range refusals {
		if r.pattern.MatchString(text) {
			return &Error{Kind: r.kind, Summary: r.summary + ": " + printable(text), Remedy: r.remedy}
		}
	}
	e := &Error{
		Kind:    KindShell,
		Summary: fmt.Sprintf("the login does not start /bin/sh (%s)", end),
		Remedy:  "look at the login shell of %[1]s (getent passwd %[1]s) and at ForceCommand in the node's sshd_config",
	}
	if text != "" {
		e.Summary += ": " + printable(text)
	}
	return e
}

// as puts the user's name into the remedy.
func (e *Error) as(user string) *Error {
	if strings.Contains(e.Remedy, "%[1]s") {
		e.Remedy = fmt.Sprintf(e.Remedy, user)
	}
	return e
}
