package lab

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// somebody is another user of this machine: Debian's nobody.
const somebody = 65534

// needRoot skips a test that has to run as two users.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("left out: only root can become another user")
	}
}

// as lets cmd run under a user id; 0 leaves it to the test's user.
func as(user uint32, cmd *exec.Cmd) *exec.Cmd {
	if user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	return cmd
}

// TestForeignProcess runs processes with the arguments of a lab's machine. Only a process
// of this user whose program is QEMU may count as one. Any other would keep a lab from
// coming up, and `lab down` would kill it or wait for it.
func TestForeignProcess(t *testing.T) {
	id := strings.Repeat("5e", 16)
	// Not TempDir: others have to find the program.
	dir, err := os.MkdirTemp("", "lvsctl-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, qemu)
	if err := os.WriteFile(program, shell, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		program string
		user    uint32
		want    int
	}{
		"another program":        {"/bin/sh", 0, 0},
		"another user's program": {"/bin/sh", somebody, 0},
		"another user's QEMU":    {program, somebody, 0},
		"QEMU":                   {program, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if c.user != 0 {
				needRoot(t)
			}
			cmd := as(c.user, &exec.Cmd{Path: c.program, Dir: "/", Args: []string{qemu, "-c", "echo begun; read forever", "-name", machineName(id, "dr")}})
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = stdin.Close(); _ = cmd.Wait() }()
			if _, err := io.ReadFull(stdout, make([]byte, 6)); err != nil {
				t.Fatal(err)
			}
			if have := machines(id); len(have) != c.want || c.want == 1 && have[cmd.Process.Pid] != "dr" {
				t.Errorf("want %d machines, have %v", c.want, have)
			}
		})
	}
}
