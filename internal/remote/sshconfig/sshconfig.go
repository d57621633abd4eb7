// Package sshconfig reads ssh_config(5) as OpenSSH does, and says what it means
// for one host. `ssh -G` is the judge: a test compares both over many files.
//
// What the files say is read once. What it means depends on the host, and on
// what was found so far: [Config.Resolve] walks the lines in order, and the first
// value of a keyword wins. A keyword is a line of the table in keywords.go.
//
// Nothing is run. A block whose condition is a command (Match exec) is neither in
// nor out: if a line of it would decide something, the host cannot be resolved,
// and the error names the block. Hosts that it does not concern are not hindered.
package sshconfig

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Config is the files of ssh_config, the user's before the system's.
type Config struct {
	Me   string // the caller's own user name, for Match localuser and %u
	Home string // what ~ stands for

	sources []source

	mu    sync.Mutex
	files map[string]*file // what was read, by path
}

// source is one of the files to begin with.
type source struct {
	path string
	kind kind
	must bool // it has to be there
}

// kind says whose file it is.
type kind int

const (
	named  kind = iota // given with -F: the user's, whatever its owner and mode
	own                // ~/.ssh/config, and what it includes
	system             // /etc/ssh/ssh_config, and what it includes
)

// Folders that Include is relative to.
const systemFolder = "/etc/ssh"

// Read reads the ssh config. name is the only file to read, as with ssh -F
// ("none" for no file at all); "" reads ~/.ssh/config and /etc/ssh/ssh_config,
// where they are there. The error names file and line.
func Read(name string) (*Config, error) {
	c := &Config{Home: "/", files: map[string]*file{}}
	if h, err := os.UserHomeDir(); err == nil {
		c.Home = h
	}
	if u, err := user.Current(); err == nil {
		c.Me = u.Username
	}
	switch {
	case strings.EqualFold(name, "none"):
	case name != "":
		c.sources = []source{{name, named, true}}
	default:
		c.sources = []source{
			{filepath.Join(c.Home, ".ssh", "config"), own, false},
			{filepath.Join(systemFolder, "ssh_config"), system, false},
		}
	}
	for _, s := range c.sources {
		if err := c.check(s, 0); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Aliases are the names in the Host lines of the files to begin with, without patterns.
func (c *Config) Aliases() []string {
	var names []string
	for _, s := range c.sources {
		f, err := c.read(s.path, s.kind, 0)
		if err != nil {
			continue
		}
		for _, l := range f.lines {
			if l.keyword != "host" {
				continue
			}
			for _, name := range l.values {
				if !strings.ContainsAny(name, "*?!") {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// Request is what to resolve, with what a command line would say.
type Request struct {
	Host      string // as a person wrote it
	User      string // as with ssh -l; "" for none
	Port      int    // as with ssh -p; 0 for none
	ProxyJump string // as with ssh -J; "" for none
	// DefaultUser is who logs in where nobody says; ssh takes the caller's name.
	DefaultUser string
}

// Settings are what the ssh config means for one host.
type Settings struct {
	Host     string // as asked for
	HostName string // where to connect: a name in lower case, or an address
	User     string
	Port     int

	config *Config
	values map[string][]string // by keyword, in lower case
	unique map[string]bool     // values of keywords that may be given several times
}

// Get is the value of a keyword, "" if nobody set it. Flags are "yes" or "no",
// times a number of seconds.
func (s *Settings) Get(keyword string) string {
	if all := s.All(keyword); len(all) > 0 {
		return all[0]
	}
	return ""
}

// All is every value of a keyword that takes a list, or may be given several
// times.
func (s *Settings) All(keyword string) []string { return s.values[strings.ToLower(keyword)] }

// user is who logs in, as far as it is known while files are read.
func (s *Settings) user() string {
	if u := s.Get("User"); u != "" {
		return u
	}
	return s.User
}

// port is the port in decimal, as far as it is known while files are read.
func (s *Settings) port() string {
	if p := s.Get("Port"); p != "" {
		return p
	}
	return "22"
}

// Resolve says what the ssh config means for a host.
func (c *Config) Resolve(q Request) (*Settings, error) {
	s := &Settings{Host: q.Host, User: q.DefaultUser, config: c, values: map[string][]string{}, unique: map[string]bool{}}
	if q.User != "" {
		s.values["user"] = []string{q.User}
	}
	if q.Port != 0 {
		s.values["port"] = []string{strconv.Itoa(q.Port)}
	}
	if q.ProxyJump != "" {
		s.values["proxyjump"], s.values["proxycommand"] = []string{q.ProxyJump}, []string{"none"}
	}
	w := &walk{config: c, settings: s, host: q.Host}
	if err := w.all(); err != nil {
		return nil, err
	}
	if err := s.canonicalize(); err != nil {
		return nil, err
	}
	if w.wantFinal || s.canonicalizes() {
		// What the second reading finds comes too late for these.
		for keyword, value := range map[string]string{"hostname": s.HostName, "canonicalizehostname": "no", "canonicalizemaxdots": "1", "canonicalizefallbacklocal": "yes"} {
			if s.Get(keyword) == "" || keyword == "hostname" {
				s.values[keyword] = []string{value}
			}
		}
		w.final, w.host = true, s.HostName
		if err := w.all(); err != nil {
			return nil, err
		}
	}
	s.Port, _ = strconv.Atoi(s.port()) // parsed when it was read
	name, err := s.expand(s.user(), s.noUserTokens)
	if err != nil {
		return nil, err
	}
	s.User = name
	return s, nil
}
