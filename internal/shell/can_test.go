package shell_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// TestReadCan asks nodes with old and new tools what they can do for a tunnel.
func TestReadCan(t *testing.T) {
	fou := "#!/bin/sh\necho 'Usage: ip fou add port PORT { ipproto PROTO  | gue }' >&2\nexit 255\n"
	for _, c := range []struct {
		name  string
		tools map[string]string // what is in PATH beside uname and grep
		ask   string
		want  string
	}{
		{"iproute2 6.1", map[string]string{"ip": fou}, "ip-fou", "ip-fou"},
		{"iproute2 2.6.32", map[string]string{"ip": "#!/bin/sh\necho 'Object \"fou\" is unknown, try \"ip help\".' >&2\nexit 255\n"}, "ip-fou", ""},
		{"busybox", map[string]string{"ip": "#!/bin/sh\nexec busybox ip \"$@\"\n"}, "ip-fou", ""},
		{"ipvsadm 1.31", map[string]string{"ipvsadm": "\x7fELF\x00pe\x00tun-info\x00tun-type\x00"}, "tun-type", "tun-type"},
		{"ipvsadm 1.29", map[string]string{"ipvsadm": "\x7fELF\x00pe\x00ops\x00"}, "tun-type", ""},
		{"no ipvsadm yet", nil, "tun-type", "tun-type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tools(t, "uname", "grep", "busybox")
			for name, text := range c.tools {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			ask := "PATH=" + dir + "; export PATH\n" + shell.Definitions(shell.ReadCan) + shell.Call(shell.ReadCan, strings.Fields(c.ask)...).String() + "\n"
			for _, sh := range []string{"/bin/dash", "/bin/bash"} {
				out, err := exec.Command(sh, "-c", ask).Output()
				if err != nil {
					t.Fatalf("%s: %v", sh, err)
				}
				if have := strings.Join(strings.Fields(string(out)), " "); have != c.want {
					t.Errorf("%s: want %q, have %q", sh, c.want, have)
				}
			}
		})
	}
}
