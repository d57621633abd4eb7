package sshconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRefused is what ssh -G is not asked about: what lvsctl refuses on its own,
// and whom that concerns.
func TestRefused(t *testing.T) {
	for title, c := range map[string]struct {
		config string
		want   string // DIR stands for the folder; "" if web is to be resolved
	}{
		"exec":              {"Match exec \"test -e /x\"\nPort 2\n", "Match exec of DIR/config:1 decides on port (DIR/config:2) for web"},
		"exec, negated":     {"Match !exec true\nUser op\n", "Match exec of DIR/config:1 decides on user"},
		"exec after host":   {"Match host web exec true\nPort 2\n", "Match exec of DIR/config:1"},
		"exec before host":  {"Match exec true host web\nPort 2\n", "Match exec of DIR/config:1"},
		"Host after exec":   {"Match exec true\nInclude DIR/web\n", "Match exec of DIR/config:1 decides on port (DIR/web:2)"},
		"command":           {"Match command true\nPort 2\n", "Match command of DIR/config:1"},
		"version":           {"Match version OpenSSH_9*\nPort 2\n", "Match version of DIR/config:1"},
		"one more identity": {"IdentityFile /a\nMatch exec true\nIdentityFile /b\n", "Match exec of DIR/config:2 decides on identityfile"},
		"unknown keyword":   {"Colour blue\n", "DIR/config:1: colour is no keyword of ssh_config; if your ssh knows it, put it into IgnoreUnknown"},
		"refused":           {"RefuseConnection \"not from here\"\n", "DIR/config:1: RefuseConnection: not from here"},
		"Match":             {"\nMatch colour blue\n", "DIR/config:2: Match: colour is not understood"},
		"no value":          {"# one\n  Port\n", "DIR/config:2: Port has no value"},
		"open quote":        {"User \"op\n", "DIR/config:1: user: a quote is not closed"},
		"itself":            {"Include DIR/config\n", "Include goes too deep"},
		"writable by all":   {"Include DIR/shared\n", "DIR/shared can be written by others: chmod go-w"},
		"an include's line": {"Include DIR/bad\n", "DIR/bad:2: port: \"x\" is not a port"},
		"FIFO":              {"Include DIR/fifo\n", "DIR/fifo: not a regular file"},
		"device":            {"Include /dev/zero\n", "/dev/zero: not a regular file"},
		"large":             {"Include DIR/large\n", "DIR/large: larger than 4096 KiB"},

		"exec, another host":      {"Match host db exec true\nPort 2\n", ""},
		"exec, another host last": {"Match exec true host db\nPort 2\n", ""},
		"exec, in an include":     {"Match exec true\nInclude DIR/db\n", ""},
		"exec, nothing of ours":   {"Match exec true\nForwardX11 yes\nSendEnv X\n", ""},
		"exec, too late":          {"Port 1\nUser op\nMatch exec true\nPort 2\nUser no\n", ""},
		"exec, the same identity": {"IdentityFile /a\nMatch exec true\nIdentityFile /a\n", ""},
		"refused, another host":   {"Host db\nRefuseConnection no\n", ""},
		"command, another host":   {"Host db\nProxyCommand nc\n", ""},
		"this session":            {"Match sessiontype exec\nUser op\n", ""},
		"tag":                     {"Tag one\nMatch tagged one\nUser op\nMatch tagged two\nPort x2\n", "DIR/config:5: port"},
		"network":                 {"Match localnetwork 127.0.0.0/8\nUser op\n", ""},
	} {
		t.Run(title, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{
				"config": strings.ReplaceAll(c.config, "DIR", dir),
				"web":    "Host web\nPort 2\n", "db": "Host db\nPort 2\n", "bad": "# one\nPort x\n", "shared": "Port 1\n",
				"large": strings.Repeat("# x\n", mostBytes/4+1),
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(filepath.Join(dir, "shared"), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
				t.Fatal(err)
			}
			conf, err := Read(filepath.Join(dir, "config"))
			if err == nil {
				_, err = conf.Resolve(Request{Host: "web"})
			}
			want := strings.ReplaceAll(c.want, "DIR", dir)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("want %q, have %v", want, err)
			}
		})
	}
	if _, err := Read("/no/such/config"); err == nil || !strings.Contains(err.Error(), "/no/such/config") {
		t.Errorf("want an error for a file that was named, have %v", err)
	}
	if _, err := Read("none"); err != nil {
		t.Error(err)
	}
}

// A pattern that makes others take for ever.
func TestMatchIsQuick(t *testing.T) {
	start := time.Now()
	if Match(strings.Repeat("a", 10_000), strings.Repeat("a*", 500)+"b") {
		t.Error("it matches")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

// BenchmarkResolve is a thousand hosts and twice as many, each with a block of its
// own.
func BenchmarkResolve(b *testing.B) {
	for _, n := range []int{1000, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "config")
			if err := os.WriteFile(file, []byte(strings.Repeat("Host web\n  Port 2\nHost db\n", n)), 0o600); err != nil {
				b.Fatal(err)
			}
			c, err := Read(file)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := c.Resolve(Request{Host: "web"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
