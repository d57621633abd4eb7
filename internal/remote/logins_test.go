package remote

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// behind makes sshd run the client's command by way of another shell.
func behind(shell string) string { return "ForceCommand " + shell }

func TestOddLogins(t *testing.T) {
	needs := func(t *testing.T, tool string) string {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skip(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		config string
		needs  string
	}{
		"banner":              {config: "Banner /etc/passwd"},
		"noisy .bashrc":       {config: behind(`echo noise; printf 'no newline'; echo noise >&2; eval "$SSH_ORIGINAL_COMMAND"`)},
		"noise like ours":     {config: behind(`echo "lvsctl-X 0"; echo; eval "$SSH_ORIGINAL_COMMAND"`)},
		"csh":                 {config: behind(`exec csh -f -c "$SSH_ORIGINAL_COMMAND"`), needs: "csh"},
		"fish":                {config: behind(`exec fish -c "$SSH_ORIGINAL_COMMAND"`), needs: "fish"},
		"busybox":             {config: behind(`exec busybox sh -c "$SSH_ORIGINAL_COMMAND"`), needs: "busybox"},
		"french":              {config: "SetEnv LC_ALL=fr_FR.UTF-8 LANG=fr_FR.UTF-8 LANGUAGE=fr"},
		"strange environment": {config: "SetEnv PATH=/nowhere IFS=e ENV=/etc/passwd BASH_ENV=/etc/passwd CDPATH=/"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.needs != "" {
				needs(t, c.needs)
			}
			s := sshtest.Start(t, sshtest.Options{Config: c.config})
			r := dial(t, dialer(t, ""), target(s))
			var lines []string
			have, err := r.Run(t.Context(), Script{Body: "ls -d /; echo err >&2; exit 3", Line: func(s string) { lines = append(lines, s) }})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(Output{Stdout: "/\n", Stderr: "err\n", Status: 3}, have); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{"/"}, lines); d != "" {
				t.Error(d)
			}
		})
	}
}

// fakeSudo is a login whose sudo only says what the real one said.
func fakeSudo(message string, status int) string {
	return behind(fmt.Sprintf("echo '%s' >&2; exit %d", message, status))
}

func TestLoginsThatRunNothing(t *testing.T) {
	for name, c := range map[string]struct {
		config  string
		kind    ErrorKind
		summary string
		remedy  string
	}{
		"nologin":      {behind("/usr/sbin/nologin"), KindShell, "nologin", "usermod -s /bin/sh USER"},
		"false":        {behind("/bin/false"), KindShell, "does not start /bin/sh (exit status 1)", "getent passwd USER"},
		"no such":      {behind("/no/such/shell"), KindShell, "does not start /bin/sh (exit status 127)", "ForceCommand"},
		"another tool": {behind("echo 'rsync only \x1b[31m, please'; exit 0"), KindShell, "rsync only [31m, please", "ForceCommand"},
		"sftp":         {"ForceCommand internal-sftp", KindShell, "file transfer only", "ForceCommand"},
		"expired":      {behind("echo 'WARNING: Your password has expired.'; echo 'Password change required but no TTY available.'; exit 1"), KindShell, "expired", "passwd"},
		"no sessions":  {"MaxSessions 0", KindShell, "opens no session", "MaxSessions"},

		"sudo password":          {fakeSudo("sudo: a password is required", 1), KindSudo, "wants a password", "USER ALL=(root) NOPASSWD: /bin/sh"},
		"sudo 1.7 password":      {fakeSudo("sudo: sorry, a password is required to run sudo", 1), KindSudo, "wants a password", "NOPASSWD"},
		"sudo no tty":            {fakeSudo("sudo: no tty present and no askpass program specified", 1), KindSudo, "wants a password", "NOPASSWD"},
		"sudo-rs password":       {fakeSudo("sudo: interactive authentication is required", 1), KindSudo, "wants a password", "NOPASSWD"},
		"sudo requiretty":        {fakeSudo("sudo: sorry, you must have a tty to run sudo", 1), KindSudo, "requiretty", "Defaults:USER !requiretty"},
		"sudo, not in the file":  {fakeSudo("op is not in the sudoers file.  This incident will be reported.", 1), KindSudo, "does not let", "NOPASSWD"},
		"sudo, not this command": {fakeSudo("Sorry, user op is not allowed to execute /bin/sh -s as root on host1.", 1), KindSudo, "does not let", "NOPASSWD"},
		"sudo missing, env":      {fakeSudo("env: sudo: No such file or directory", 127), KindSudo, "no sudo", "install sudo"},
		"sudo missing, env 8.25": {fakeSudo("env: ‘sudo’: No such file or directory", 127), KindSudo, "no sudo", "install sudo"},
		"sudo missing, busybox":  {fakeSudo("env: can'\\''t execute '\\''sudo'\\'': No such file or directory", 127), KindSudo, "no sudo", "install sudo"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sshtest.Start(t, sshtest.Options{Config: c.config})
			err := greet(t.Context(), dialer(t, ""), target(s))
			e := wantError(t, err, c.kind, c.summary)
			if remedy := strings.ReplaceAll(c.remedy, "USER", s.User); !strings.Contains(e.Remedy, remedy) {
				t.Errorf("want remedy ...%s..., have %s", remedy, e.Remedy)
			}
		})
	}
}

// The real sudo, as a user whom it does not know.
func TestRealSudoWantsAPassword(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("becomes nobody, which takes root")
	}
	for _, tool := range []string{"sudo", "su"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	s := sshtest.Start(t, sshtest.Options{Config: behind("exec su -s /bin/sh nobody -c 'exec env LC_ALL=C sudo -n /bin/sh -s'")})
	wantError(t, greet(t.Context(), dialer(t, ""), target(s)), KindSudo, "wants a password")

	// And the real sudo of root, which is allowed.
	s = sshtest.Start(t, sshtest.Options{Config: behind("exec env LC_ALL=C sudo -n /bin/sh -s")})
	wantHello(t, dialer(t, ""), target(s))
}

func TestSudoCommand(t *testing.T) {
	for _, c := range []struct {
		sudo bool
		want string
	}{{false, "exec /bin/sh -s"}, {true, "exec env LC_ALL=C sudo -n /bin/sh -s"}} {
		if have := (&sshRunner{sudo: c.sudo}).command(); have != c.want {
			t.Errorf("want %s, have %s", c.want, have)
		}
	}
}
