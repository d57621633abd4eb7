package sshconfig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// compared are the keywords whose values have to be those of ssh -G. Algorithms
// are compared where they are put together.
var compared = strings.Fields(`addressfamily bindaddress bindinterface canonicaldomains
	canonicalizefallbacklocal canonicalizehostname canonicalizemaxdots canonicalizepermittedcnames
	certificatefile checkhostip connecttimeout globalknownhostsfile hostkeyalias identitiesonly
	identityagent identityfile knownhostscommand pkcs11provider preferredauthentications proxycommand
	proxyjump proxyusefdpass pubkeyauthentication requiredrsasize revokedhostkeys
	stricthostkeychecking userknownhostsfile`)

// question is one run of ssh -G, and what lvsctl is asked at the same time.
type question struct {
	title  string
	config string // DIR stands for the folder of the files
	files  map[string]string
	host   string
	user   string
	port   int
}

// TestAsSSH holds what a config means against the machine's own ssh.
func TestAsSSH(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip(err)
	}
	t.Setenv("LVSCTL_TEST_FOLDER", "/folder")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(corpus(me.Username), mixed(me.Username), written(t))
	base, err := dump(t.TempDir(), question{host: "web"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d configs", len(all))
	dirs := make([]string, len(all))
	for i := range all {
		dirs[i] = t.TempDir()
	}
	type answer struct{ want, have, wantErr, haveErr string }
	answers := make([]answer, len(all))
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for i, q := range all {
		g.Go(func() error {
			a := &answers[i]
			want, err := dump(dirs[i], q)
			if err != nil {
				a.wantErr = err.Error()
			}
			have, err := ask(dirs[i], q, me, base)
			if err != nil {
				a.haveErr = err.Error()
			}
			if a.wantErr == "" && a.haveErr == "" {
				a.want, a.have = render(want), render(have)
			}
			return nil
		})
	}
	_ = g.Wait() // none of them fails
	for i, q := range all {
		a := answers[i]
		switch {
		case (a.wantErr == "") != (a.haveErr == ""):
			t.Errorf("%s: %s\n%s\nssh says: %s\nlvsctl says: %s", q.title, q.host, q.config, a.wantErr, a.haveErr)
		case a.want != a.have:
			t.Errorf("%s: %s\n%s\n%s", q.title, q.host, q.config, cmp.Diff(a.want, a.have))
		}
	}
}

// lay writes the files of a question.
func lay(dir string, q question) (config string, err error) {
	names := strings.NewReplacer("DIR", dir)
	for name, text := range q.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(names.Replace(text)), 0o600); err != nil {
			return "", err
		}
	}
	config = filepath.Join(dir, "config")
	return config, os.WriteFile(config, []byte(names.Replace(q.config)), 0o600)
}

// dump is what ssh -G says.
func dump(dir string, q question) (map[string]string, error) {
	config, err := lay(dir, q)
	if err != nil {
		return nil, err
	}
	args := []string{"-G", "-F", config}
	if q.user != "" {
		args = append(args, "-l", q.user)
	}
	if q.port != 0 {
		args = append(args, "-p", fmt.Sprint(q.port))
	}
	var said, complaint bytes.Buffer
	cmd := exec.Command("ssh", append(args, q.host)...)
	cmd.Stdout, cmd.Stderr = &said, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, complaint.String())
	}
	all := map[string]string{}
	for text := range strings.Lines(said.String()) {
		key, value, _ := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
		key = strings.ToLower(key)
		if have, more := all[key]; more {
			value = have + " " + value
		}
		all[key] = value
	}
	return all, nil
}

// ask is what lvsctl makes of the same files.
func ask(dir string, q question, me *user.User, base map[string]string) (map[string]string, error) {
	c, err := Read(filepath.Join(dir, "config"))
	if err != nil {
		return nil, err
	}
	c.Home = me.HomeDir
	s, err := c.Resolve(Request{Host: q.host, User: q.user, Port: q.port, DefaultUser: me.Username})
	if err != nil {
		return nil, err
	}
	all := map[string]string{"hostname": s.HostName, "user": s.User, "port": fmt.Sprint(s.Port)}
	for _, k := range compared {
		values := s.All(k)
		if k == "userknownhostsfile" {
			for i, name := range values {
				if values[i], err = s.File(name); err != nil {
					return nil, err
				}
			}
		}
		all[k] = strings.Join(values, " ")
		if len(values) == 0 {
			all[k] = base[k]
		}
	}
	return all, nil
}

// render is settings as text, in the words that lvsctl has for them.
func render(all map[string]string) string {
	var b strings.Builder
	for _, k := range append([]string{"hostname", "port", "user"}, compared...) {
		v := all[k]
		switch k {
		case "canonicalizehostname", "pubkeyauthentication", "stricthostkeychecking":
			v = strings.NewReplacer("true", "yes", "false", "no", "off", "no").Replace(v)
		case "hostkeyalias":
			v = strings.ToLower(v)
		case "proxyjump":
			if hops, err := ParseJump(v); err == nil && !strings.EqualFold(v, "none") {
				v = fmt.Sprint(hops)
			}
		}
		if strings.EqualFold(v, "none") {
			v = ""
		}
		fmt.Fprintf(&b, "%s %s\n", k, v)
	}
	return b.String()
}

// written are the files in testdata that somebody wrote: each is asked about by
// the hosts that its first line names.
func written(t *testing.T) []question {
	var all []question
	files, err := filepath.Glob("testdata/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		hosts, ok := strings.CutPrefix(first, "# hosts: ")
		if !ok {
			t.Fatalf("%s does not begin with # hosts:", file)
		}
		for host := range strings.FieldsSeq(hosts) {
			all = append(all, question{title: file, config: string(text), host: host})
		}
	}
	return all
}

// TestFilesAsSSH holds ~, tokens and variables in file names against the files
// that ssh says it looks for. ssh -G prints these names as they are written.
func TestFilesAsSSH(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LVSCTL_TEST_FOLDER", "/folder")
	q := question{host: "WEB", config: `IdentityFile ~/k
IdentityFile "${LVSCTL_TEST_FOLDER}/a k"
IdentityFile %d/%h-%n-%p-%r-%u-%i-%L-%l-%C-%k-%%
IdentityFile ~/${LVSCTL_TEST_FOLDER}/%n
IdentityFile /$LVSCTL_TEST_FOLDER/$n
CertificateFile ${LVSCTL_TEST_FOLDER}/c
CertificateFile ~/%r@%h
HostName %h.Example.com
User op
Port 2222
`}
	dir := t.TempDir()
	config, err := lay(dir, q)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ssh", "-v", "-F", config, "-o", "ProxyCommand=false", q.host, "true")
	said, _ := cmd.CombinedOutput() // it cannot connect
	var want, have []string
	for text := range strings.Lines(string(said)) {
		_, name, _ := strings.Cut(strings.TrimSpace(text), " file ")
		name, _, ok := strings.Cut(name, " type ")
		// ssh also looks for a certificate beside each key.
		if ok && !strings.HasSuffix(name, "-cert") {
			want = append(want, filepath.Clean(name))
		}
	}
	c, err := Read(config)
	if err != nil {
		t.Fatal(err)
	}
	c.Home = me.HomeDir
	s, err := c.Resolve(Request{Host: q.host, DefaultUser: me.Username})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(s.All("IdentityFile"), s.All("CertificateFile")) {
		name, err := s.File(name)
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, name)
	}
	slices.Sort(want)
	slices.Sort(have)
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("%s\n%s", d, said)
	}
}
