package state

import (
	"cmp"
	"encoding"
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/shell"
)

// HostsFile is the path of the hosts file.
const HostsFile = "/etc/hosts"

// BlockKey identifies a block: the lines between a topology's two marker lines in a file
// that others use too. A topology has at most one block in a file.
type BlockKey struct{ Path, Topology string }

// Block is the text between the marker lines.
type Block struct {
	Text string `json:"text"` // whole lines
}

var (
	_ encoding.TextMarshaler   = BlockKey{}
	_ encoding.TextUnmarshaler = (*BlockKey)(nil)
)

func (k BlockKey) String() string { return k.Path }

func (k BlockKey) begin() string { return "# BEGIN lvsctl " + k.Topology }

func (k BlockKey) end() string { return "# END lvsctl " + k.Topology }

// MarshalText makes the key a JSON object's key.
func (k BlockKey) MarshalText() ([]byte, error) { return []byte(k.Topology + " " + k.Path), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *BlockKey) UnmarshalText(text []byte) error {
	topology, path, ok := strings.Cut(string(text), " ")
	if !ok {
		return fmt.Errorf("cannot read file %q", text)
	}
	*k = BlockKey{path, topology}
	return nil
}

var blocks = &table[BlockKey, Block]{
	kind: KindFile,
	of:   func(s *State) *map[BlockKey]Block { return &s.Blocks },
	compare: func(a, b BlockKey) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Topology, b.Topology))
	},
	key:   func(k BlockKey) Key { return k },
	value: Block.String,
	text:  func(_ *State, b Block) string { return b.Text },
	make: func(_ *State, k BlockKey, b Block) []shell.Command {
		return reload(k.Path, writeBlock(k, b))
	},
	edit: func(_ *State, k BlockKey, _, b Block) []shell.Command {
		return reload(k.Path, writeBlock(k, b))
	},
	unmake: func(_ *State, k BlockKey, _ Block) []shell.Command {
		return reload(k.Path, writeBlock(k, Block{}))
	},
}

func (b Block) lines() []string {
	return strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n")
}

func (b Block) String() string { return countLines(b.Text) }

func countLines(text string) string { return plural.Of(strings.Count(text, "\n"), "line") }

// Words in the begin line that tell what the block added to the file. When the block is
// removed, the newline before it is too, or the whole file if nothing else is in it.
const (
	noNewline = " (there was no newline before this)"
	noFile    = " (there was no file before this)"
)

// newFileMode is the mode of a file that is made for a block. Some of these files are
// executed at boot.
func newFileMode(path string) string {
	if strings.HasSuffix(path, ".modules") || strings.HasSuffix(path, "/rc.local") || strings.HasSuffix(path, "/ifup-local") {
		return "0755"
	}
	return "0644"
}

func writeBlock(k BlockKey, b Block) shell.Command {
	args := []string{k.Path, newFileMode(k.Path), k.begin(), k.end()}
	if b.Text != "" {
		args = append(args, b.lines()...)
	}
	return shell.Call(shell.Block, args...)
}

// reload adds the command that makes systemd read its unit files, if the file is one. That
// neither starts nor stops nor reloads a service.
func reload(path string, commands ...shell.Command) []shell.Command {
	if strings.HasPrefix(path, "/etc/systemd/system/") {
		commands = append(commands, shell.Call(shell.Systemctl, "daemon-reload"))
	}
	return commands
}

// blockSection prints the topology's block of each file that has one: the file's path,
// then the block with its marker lines. paths are patterns of the shell.
func blockSection(topology string, paths []string) Section {
	k := BlockKey{Topology: topology}
	quoted := strings.NewReplacer(".", "[.]")
	begin := "^" + quoted.Replace(k.begin()) + "( [(]there was no [a-z]* before this[)])?$"
	end := "^" + quoted.Replace(k.end()) + "$"
	read := shell.Call(shell.ReadBlocks, append([]string{begin, end, HostsFile}, paths...)...)
	return Section{"files", read, func(text string, s *State) error {
		return parseBlocks(text, topology, s)
	}}
}

// begins reports whether a line is the first marker line of the block.
func (k BlockKey) begins(line string) bool {
	rest, ok := strings.CutPrefix(line, k.begin())
	return ok && (rest == "" || rest == noNewline || rest == noFile)
}

// parseBlocks reads what blockSection printed:
//
//	file /etc/hosts
//	# BEGIN lvsctl web
//	10.1.0.2 lvs
//	# END lvsctl web
func parseBlocks(text, topology string, s *State) error {
	k := BlockKey{Topology: topology}
	var b strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		bare := strings.TrimSuffix(line, "\n")
		path, header := strings.CutPrefix(bare, "file /")
		switch {
		case !inside && header:
			k.Path = "/" + path
		case !inside && k.begins(bare):
			inside = true
			b.Reset()
		case inside && bare == k.end():
			inside = false
			s.Blocks[k] = Block{b.String()}
		case inside:
			b.WriteString(line)
		}
	}
	if inside {
		return fmt.Errorf("%s has the line %q without %q after it; mend it first", k.Path, k.begin(), k.end())
	}
	return nil
}
