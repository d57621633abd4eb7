package remote

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
)

// Target is one node as a topology names it. What it leaves empty comes from
// the ssh config, and then from OpenSSH's defaults; only the user of a node is
// root by default, not the caller's name.
type Target struct {
	Name    string // the node, for messages
	Address string // IP, name, or Host alias of the ssh config; "local" is this machine

	User           string
	Port           int
	IdentityFile   string        // replaces those of the ssh config
	IdentitiesOnly *bool         // nil: as the ssh config says
	KnownHosts     string        // replaces the ssh config's UserKnownHostsFile
	HostKey        string        // the only key to accept: "ssh-ed25519 AAAA..."; "" for known_hosts
	ProxyJump      string        // [USER@]HOST[:PORT],... or "none"
	ConnectTimeout time.Duration // for TCP, key exchange and login together; 0 is 10 s
	Sudo           bool          // run scripts through sudo -n, unless the user is root
}

// Config is what all nodes of a run have in common.
type Config struct {
	// SSHConfig is the only ssh config file to read, as with ssh -F; "" reads
	// ~/.ssh/config and /etc/ssh/ssh_config, if they are there.
	SSHConfig string
	// Prompt asks the person at the terminal for the passphrase of a key, once a
	// key. nil where there is no terminal: such keys are then left out.
	Prompt func(question string) ([]byte, error)
	// Silence is how long a script may print nothing, and how long the node may
	// leave a keepalive unanswered, before the connection counts as lost; 0 is
	// 60 s.
	Silence time.Duration
	// Limit is how long a script may take in whole that does not bring a limit of
	// its own; 0 is five times Silence.
	Limit time.Duration
}

// Dialer connects to nodes. It may be used by many goroutines at once; nodes
// behind the same jump host share one connection to it.
type Dialer struct {
	config     *sshconfig.Config
	flags      []string // how ssh(1) is told to read the same config
	silence    time.Duration
	limit      time.Duration
	keys       keyring
	knownHosts knownHosts
	revoked    revokedFiles
	jumps      jumps
	loginSlots loginSlots
}

// NewDialer reads the ssh config. The error names file and line.
func NewDialer(cfg Config) (*Dialer, error) {
	d := &Dialer{silence: cfg.Silence, limit: cfg.Limit, keys: keyring{prompt: cfg.Prompt}}
	if d.silence <= 0 {
		d.silence = 60 * time.Second
	}
	if d.limit <= 0 {
		d.limit = 5 * d.silence
	}
	if cfg.SSHConfig != "" {
		d.flags = []string{"-F", cfg.SSHConfig}
	}
	var err error
	if d.config, err = sshconfig.Read(cfg.SSHConfig); err != nil {
		return nil, fmt.Errorf("cannot read the ssh config: %w", err)
	}
	return d, nil
}

// Dial connects to a node and logs in. The error is a *[Error]. The Runner is
// good until it is closed or the connection is lost; it does not reconnect.
func (d *Dialer) Dial(ctx context.Context, t Target) (Runner, error) {
	if strings.EqualFold(t.Address, "local") {
		return newLocal(t, d.silence, d.limit), nil
	}
	e, err := d.resolve(t)
	if err != nil {
		return nil, configError(err).at(t.Name, t.Address)
	}
	l, failed := d.connect(ctx, e)
	if failed != nil {
		return nil, failed.at(t.Name, e.address())
	}
	return &sshRunner{
		link: l, node: t.Name, address: e.address(), user: e.user,
		sudo: t.Sudo && e.user != "root", silence: d.silence, limit: d.limit,
	}, nil
}
