package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lvsctl/lvsctl/internal/adopt"
	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/topology"
)

// An importedNode is a node of a command line.
type importedNode struct {
	name string // as messages call it: the word of the command line
	host string // where SSH goes
	ssh  topology.SSH
	role topology.Role // said; "" to find out

	runner remote.Runner
	live   live.Node
	found  live.Found
	err    error
	// node is its name in the topology.
	node string
}

// list makes the nodes of the command line's words.
func (m *importing) list() error {
	type word struct {
		text string
		role topology.Role
	}
	var words []word
	for _, w := range m.args {
		words = append(words, word{w, ""})
	}
	for _, role := range []topology.Role{topology.Director, topology.RealServer, topology.Router} {
		for _, w := range *m.said[role] {
			words = append(words, word{w, role})
		}
	}
	if len(words) == 0 {
		return errors.New("no node is named\nName the directors, and their real servers and routers: lvsctl import lvs-1 web-1 web-2.")
	}
	byName := map[string]*importedNode{}
	for _, w := range words {
		n, err := destination(w.text)
		if err != nil {
			return err
		}
		n.ssh.Sudo = m.sudo
		if known := byName[w.text]; known != nil {
			if known.role != "" && w.role != "" && known.role != w.role {
				return fmt.Errorf("%s is said to be a %s and a %s", w.text, known.role, w.role)
			}
			if w.role != "" {
				known.role = w.role
			}
			continue
		}
		n.role = w.role
		byName[w.text] = n
		m.nodes = append(m.nodes, n)
	}
	return nil
}

// destination reads [user@]host, or ssh://[user@]host[:port], as ssh(1) does.
func destination(text string) (*importedNode, error) {
	n := &importedNode{name: text, host: text}
	if strings.HasPrefix(text, "ssh://") {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
			return nil, fmt.Errorf("%s is no destination of SSH\nWrite ssh://user@host:port.", lang.Quote(text))
		}
		n.host, n.ssh.User = u.Hostname(), u.User.Username()
		if port := u.Port(); port != "" {
			if n.ssh.Port, err = strconv.Atoi(port); err != nil {
				return nil, fmt.Errorf("%s has no port of SSH", lang.Quote(text))
			}
		}
	} else if i := strings.LastIndexByte(text, '@'); i >= 0 {
		n.host, n.ssh.User = text[i+1:], text[:i]
	}
	if err := topology.CheckNode("node", topology.Director, n.host, n.ssh); err != nil {
		return nil, fmt.Errorf("cannot use %s: %w\nName an ssh destination, such as root@10.0.0.2 or an alias of the ssh config.", lang.Quote(text), err)
	}
	return n, nil
}

// importDialer is the dialer for the nodes. A lab is named by its topology's path, or name.
func (m *importing) importDialer(ctx context.Context) (dialer, error) {
	t := &topology.Topology{Name: m.lab}
	if _, err := os.Stat(m.lab); m.lab != "" && err == nil {
		l, err := m.load(ctx, []string{m.lab})
		if err != nil {
			return dialer{}, err
		}
		t = l.Topology
	}
	return m.dialing(ctx, t, scope{lab: m.lab != ""})
}

// read reads all nodes at the same time, and keeps their connections.
func (m *importing) read(ctx context.Context) {
	progress := m.progress("Reading", len(m.nodes))
	defer progress.end()
	var group errgroup.Group
	group.SetLimit(max(m.parallelism, 1))
	for _, n := range m.nodes {
		group.Go(func() error {
			start := time.Now()
			n.err = live.Shield(func() error { return m.explore(ctx, n) })
			progress.node(n.name, time.Since(start), n.err)
			return nil
		})
	}
	_ = group.Wait() // the functions return nil, because an error belongs to its node
	m.nameNodes()
}

func (m *importing) explore(ctx context.Context, n *importedNode) error {
	t := remote.Target{Name: n.name, Address: n.host, User: n.ssh.User, Port: n.ssh.Port, Sudo: n.ssh.Sudo}
	if m.lab != "" {
		t = remote.Target{Name: n.name, Address: n.host}
	}
	var err error
	if n.runner, err = m.dialer.Dial(ctx, t); err != nil {
		return err
	}
	n.live, n.found, err = live.Explore(ctx, n.runner)
	return err
}

func (m *importing) close() {
	for _, n := range m.nodes {
		if n.runner != nil {
			_ = n.runner.Close() // nothing is to be done if that fails
		}
	}
}

// nameNodes gives each node a name: what a record calls it, else the word that it was
// named by, else, if that is an address, what it calls itself.
func (m *importing) nameNodes() {
	taken := map[string]bool{}
	for _, n := range m.nodes {
		if n.err != nil {
			continue
		}
		name := n.host
		if _, err := netip.ParseAddr(name); err == nil || name == "local" || !lang.IsName(name) {
			name, _, _ = strings.Cut(n.found.Host, ".")
		}
		for _, r := range n.live.Record.Others {
			if self := r.Members.Self.Name; self != "" && (m.name == "" || m.name == r.Topology) {
				name = self
			}
		}
		if !lang.IsName(name) {
			name = "node"
		}
		n.node = name
		for i := 2; taken[n.node]; i++ {
			n.node = fmt.Sprintf("%s-%d", name, i)
		}
		taken[n.node] = true
	}
}

// seen is the node for a draft.
func (n *importedNode) seen(topology string, lab bool) adopt.Seen {
	s := adopt.See(n.node, topology, n.live, n.found)
	s.Role = n.role
	if !lab {
		s.Address, s.SSH = n.host, n.ssh
	}
	return s
}
