// Package lab runs a topology's nodes as real Linux hosts on this machine: all in one
// QEMU virtual machine with a kernel that has IPVS, or each in a machine of its own.
//
// [Up] packs an initramfs from this machine's own programs, boots Debian's
// cloud kernel on it and waits until every host's sshd listens. In the machine this
// same binary is /init ([Guest]). It gives every host its own network, mount and UTS
// namespace, joins the interfaces of one subnet by a bridge and starts sshd. It
// answers on the hosts' listeners with their names, and runs a real Redis on port
// 6379. Nothing needs root: QEMU's user network forwards one loopback port to each
// host's sshd.
//
// With [Options].System every host is a whole Debian in a machine of its own.
// mmdebstrap makes an image for each network system, which is kept in a cache. The
// host's disk holds what differs from its image. In an initramfs this binary copies
// the host's own files to that disk at the first boot, and hands over to systemd. The
// NICs are joined by hubs that are part of QEMU. Such a host can reboot
// ([Lab.Reboot]), and a power cut loses what it has not written ([Lab.PowerCut]).
//
// A new host has its declared addresses, a client its default route too, and else the
// kernel's defaults. What a topology wants beyond that is for apply.
//
// A program for the hosts is a line in tools.go, a kernel module a line in modules.go,
// a file below /etc a file in etc/, a package for whole Debians a word in debian.go. A
// network system is a constant in system.go, its package in debian.go and its files in
// hostnet_render.go.
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
	identityFile   = "id_ecdsa"
	consoleFile    = "console.log"
	pidFile        = "qemu.pid"
	imageFile      = "initrd"
)

// A Lab is a lab that was brought up. Its machine may have ended since.
type Lab struct {
	Name    string     `json:"name"`
	Accel   string     `json:"accel"` // QEMU's accelerator: kvm or tcg
	Started time.Time  `json:"started"`
	Spec    string     `json:"spec"` // digest of the Spec it was made of
	Hosts   []Endpoint `json:"hosts"`
	// Machine is the id of the machines that the hosts are in. It is the id of the
	// lab's folder, or of the first one of the labs that [UpAll] brought up together.
	Machine string `json:"machine"`

	dir string // absolute
}

// An Endpoint is one host as this machine reaches it.
type Endpoint struct {
	Name      string         `json:"name"`
	Role      string         `json:"role"`
	Addresses []netip.Prefix `json:"addresses"`
	Port      int            `json:"port"` // of its sshd, on 127.0.0.1
	// System sets up the network of a whole Debian. It is "" for a host that is a
	// namespace.
	System System `json:"system,omitempty"`
}

// Dir is the folder of the lab called name, below the working directory.
func Dir(name string) string { return filepath.Join(root, name) }

// Open returns the lab called name of the working directory. The error wraps
// [fs.ErrNotExist] when there is none.
func Open(name string) (*Lab, error) { return OpenDir(Dir(name)) }

// OpenDir returns the lab in a folder that [Up] made. It refuses a folder that lvsctl
// did not make: its author may have put an ssh config there.
func OpenDir(dir string) (*Lab, error) {
	f, err := openFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the lab: %w", err)
	}
	defer f.Close()
	return readLab(f.Root)
}

// readLab reads the lab in an open folder. The folder must have lvsctl's marker.
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

// Names lists the labs of the working directory, sorted. Labs whose machine has ended
// are among them.
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

// Running reports whether a machine of the lab runs.
func (l *Lab) Running() bool { return len(machines(l.Machine)) > 0 }

// Made reports whether the lab was made of exactly this s.
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

// Answering reports for every host, in the order of Hosts, whether its sshd answers.
// Only sshd's greeting counts: QEMU accepts every connection, also where no sshd
// listens.
func (l *Lab) Answering(ctx context.Context) []bool {
	up := make([]bool, len(l.Hosts))
	var all errgroup.Group
	all.SetLimit(8) // the guest starts a process for each greeting
	for i, h := range l.Hosts {
		all.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, greetingTime)
			defer cancel()
			up[i] = greeted(ctx, h.Port)
			return nil
		})
	}
	_ = all.Wait() // no function returns an error
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
