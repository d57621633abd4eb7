// Package lab runs a topology's nodes as real Linux hosts on this machine, in
// one QEMU virtual machine that holds a kernel with IPVS, or in one each.
//
// [Up] packs an initramfs from this machine's own programs, boots Debian's
// cloud kernel on it and waits until every host's sshd listens. Inside, this
// same binary is /init ([Guest]): it gives every host its own network, mount and
// UTS namespace, joins the interfaces of one subnet by a bridge, starts sshd and
// answers on the hosts' listeners with their names, on 6379 by a real Redis. Nothing needs root: QEMU's
// user network forwards one loopback port to each host's sshd.
//
// With [Options].System every host is a machine of its own with a whole Debian:
// an image made by mmdebstrap and cached, on it a disk of the host's, and an
// initramfs in which this binary furnishes that disk at the first boot and hands
// over to systemd. Their NICs meet in hubs that are part of QEMU. So a host
// reboots ([Lab.Reboot]), and loses what a power cut takes ([Lab.PowerCut]).
//
// A host is bare: its declared addresses, a client's default route, the kernel's
// defaults and nothing else. What a topology wants beyond that is for apply.
//
// To add a program to the hosts: a line in tools.go. A kernel module: a line in
// modules.go. A file below /etc: a file in etc/. A package to whole hosts: a word
// in debian.go. A network system: a constant in system.go, its package in
// debian.go and its files in hostnet_render.go.
package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// root is where the labs of a working directory live, one folder each.
const root = ".lvsctl/lab"

// The files of a lab's folder.
const (
	recordFile     = "lab.json"
	sshConfigFile  = "ssh_config"
	knownHostsFile = "known_hosts"
	identityFile   = "id_ed25519"
	consoleFile    = "console.log"
	pidFile        = "qemu.pid"
	imageFile      = "initrd"
)

// A Lab is a lab that was brought up, whether its machine still runs or not.
type Lab struct {
	Name    string     `json:"name"`
	Accel   string     `json:"accel"` // QEMU's accelerator: kvm or tcg
	Started time.Time  `json:"started"`
	Spec    string     `json:"spec"` // digest of the Spec it was made of
	Hosts   []Endpoint `json:"hosts"`
	// Machine is the id of the machines that the hosts are in: that of the folder
	// of the lab, or of another lab that was brought up together with it.
	Machine string `json:"machine"`

	dir string // absolute
}

// An Endpoint is one host as this machine reaches it.
type Endpoint struct {
	Name      string         `json:"name"`
	Role      string         `json:"role"`
	Addresses []netip.Prefix `json:"addresses"`
	Port      int            `json:"port"` // of its sshd, on 127.0.0.1
	// System is what sets up the network of a host that is a machine of its own,
	// "" for a namespace.
	System System `json:"system,omitempty"`
}

// Dir is the folder of the lab called name, below the working directory.
func Dir(name string) string { return filepath.Join(root, name) }

// Open returns the lab called name of the working directory. The error wraps
// [fs.ErrNotExist] when there is none.
func Open(name string) (*Lab, error) { return OpenDir(Dir(name)) }

// OpenDir returns the lab of a folder that [Up] filled. A folder that lvsctl did
// not make holds none: whoever made it may have put an ssh config of theirs there.
func OpenDir(dir string) (*Lab, error) {
	f, err := openFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the lab: %w", err)
	}
	defer f.Close()
	return readLab(f.Root)
}

// readLab reads the lab in an open folder, which bears lvsctl's marker.
func readLab(root *os.Root) (*Lab, error) {
	f, err := readMarker(root)
	if err != nil {
		return nil, fmt.Errorf("cannot read the lab: %w", err)
	}
	text, err := f.ReadFile(recordFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the lab: %w", err)
	}
	l := &Lab{dir: f.path}
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", filepath.Join(f.path, recordFile), err)
	}
	return l, nil
}

// Names lists the labs of the working directory, sorted, stale ones included.
func Names() ([]string, error) {
	c, err := walk(Dir("x"), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the labs: %w", err)
	}
	defer c.close()
	found, err := fs.ReadDir(c.parent().FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("cannot list the labs: %w", err)
	}
	var names []string
	for _, e := range found {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Dir is the lab's folder, absolute.
func (l *Lab) Dir() string { return l.dir }

// SSHConfig is the file that makes `ssh -F FILE NODE` reach every host.
func (l *Lab) SSHConfig() string { return filepath.Join(l.dir, sshConfigFile) }

// Running reports whether the lab's virtual machine is alive.
func (l *Lab) Running() bool { return len(machines(l.Machine)) > 0 }

// Made reports whether the lab was made of s as it is now.
func (l *Lab) Made(s Spec) bool { return l.Spec == s.digest() }

// Runs reports whether the lab's hosts have the network systems that o asks for,
// or are namespaces if it asks for none.
func (l *Lab) Runs(o Options) bool {
	for _, h := range l.Hosts {
		want := System("")
		if o.whole() {
			want = o.system(h.Name)
		}
		if h.System != want {
			return false
		}
	}
	return true
}

// Answering reports for every host, in the order of Hosts, whether its sshd
// answers. QEMU takes every connection, whoever is behind it: so only a greeting
// counts.
func (l *Lab) Answering(ctx context.Context) []bool {
	up := make([]bool, len(l.Hosts))
	var all errgroup.Group
	all.SetLimit(8) // a greeting costs the machine a process
	for i, h := range l.Hosts {
		all.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, greetingTime)
			defer cancel()
			up[i] = greeted(ctx, h.Port)
			return nil
		})
	}
	_ = all.Wait() // none of them fails
	return up
}

// greetingTime is ample for an emulated processor under load.
const greetingTime = 10 * time.Second

func greeted(ctx context.Context, port int) bool {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer func() { stop(); conn.Close() }()
	greeting := make([]byte, 4)
	_, err = io.ReadFull(conn, greeting)
	return err == nil && string(greeting) == "SSH-"
}

// Host returns the host called name.
func (l *Lab) Host(name string) (Endpoint, bool) {
	for _, h := range l.Hosts {
		if h.Name == name {
			return h, true
		}
	}
	return Endpoint{}, false
}

// write writes the record into the lab's folder.
func (l *Lab) write(f folder) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write the lab: %w", err)
	}
	return writeNew(f.Root, recordFile, append(text, '\n'))
}
