package state

import (
	"cmp"
	"encoding"
	"fmt"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/remote"
)

// HostsFile is where a node looks names up first.
const HostsFile = "/etc/hosts"

// BlockKey is a part of a file that is not lvsctl's own: the lines between a
// topology's two marker lines. There is one a topology and file.
type BlockKey struct{ Path, Topology string }

// Block is what stands between the marker lines.
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
	name: "file",
	of:   func(s *State) *map[BlockKey]Block { return &s.Blocks },
	compare: func(a, b BlockKey) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Topology, b.Topology))
	},
	key:   BlockKey.String,
	value: Block.String,
	make: func(_ *State, k BlockKey, b Block) []remote.Command {
		return []remote.Command{writeBlock(k, b)}
	},
	edit: func(_ *State, k BlockKey, _, b Block) []remote.Command {
		return []remote.Command{writeBlock(k, b)}
	},
	unmake: func(_ *State, k BlockKey, _ Block) []remote.Command {
		return []remote.Command{writeBlock(k, Block{})}
	},
}

func (b Block) lines() []string {
	return strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n")
}

func (b Block) String() string {
	if n := len(b.lines()); n != 1 {
		return strconv.Itoa(n) + " lines"
	}
	return "1 line"
}

// noNewline ends the first marker line where taking the block away also takes
// the newline before it.
const noNewline = " (there was no newline before this)"

// blockScript takes the topology's block out of a file and puts the lines from
// its fourth argument on into a new one at the end, if there are any. Everything
// else stays byte by byte. The new file takes the old one's place at once, with
// its owner, mode and SELinux context (cp -a); where it cannot, because the file
// is a mount of its own (containers), it is written over. Marker lines that do
// not pair up are nobody's to guess at.
const blockScript = `f=$(readlink -f "$1") b=$2 e=$3; shift 3
[ -e "$f" ] || : >"$f"; cp -a "$f" "$f.new" &&
awk -v b="$b" -v e="$e" -v open="$(tail -c 1 "$f")" '
$0 == b || $0 == b "` + noNewline + `" { bad += inside; inside = 1; cut = $0 != b; next }
$0 == e { bad += !inside; inside = 0; last = 1; next }
!inside { if (n++) printf "\n"; printf "%s", $0; last = 0 }
END { if (inside || bad) exit 1; if (n && (last ? !cut : open == "")) printf "\n" }' "$f" >"$f.new" ||
{ echo "the lines \"$b\" and \"$e\" in $f do not pair up" >&2; rm -f "$f.new"; exit 1; }
if [ $# -gt 0 ]; then
if [ -n "$(tail -c 1 "$f.new")" ]; then b="$b` + noNewline + `"; echo >>"$f.new"; fi
printf '%s\n' "$b" "$@" "$e" >>"$f.new"; fi
mv -f "$f.new" "$f" 2>/dev/null || { cat "$f.new" >"$f" && rm "$f.new"; }`

func writeBlock(k BlockKey, b Block) remote.Command {
	args := []string{"sh", "-c", blockScript, "block", k.Path, k.begin(), k.end()}
	if b.Text != "" {
		args = append(args, b.lines()...)
	}
	return remote.Cmd(args...)
}

// blockSection prints a topology's block of each file that can have one, marker
// lines included, after the file's path.
func blockSection(topology string) Section {
	k := BlockKey{HostsFile, topology}
	quoted := strings.NewReplacer(".", `\.`)
	begin, end := quoted.Replace(k.begin()), quoted.Replace(k.end())
	script := `for f in ` + HostsFile + `; do
  if [ -r "$f" ] && grep -q -e ` + remote.Quote("^"+begin) + ` "$f"; then
    printf 'file %s\n' "$f"
    sed -n ` + remote.Quote("/^"+begin+`\(`+noNewline+`\)\{0,1\}$/,/^`+end+"$/p") + ` "$f"
  fi
done`
	return Section{"files", script, func(text string, s *State) error {
		return parseBlocks(text, topology, s)
	}}
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
		case !inside && strings.HasPrefix(bare, k.begin()):
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
