package state

import (
	"cmp"
	"encoding"
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/shell"
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
	kind: KindFile,
	of:   func(s *State) *map[BlockKey]Block { return &s.Blocks },
	compare: func(a, b BlockKey) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Topology, b.Topology))
	},
	key:   func(k BlockKey) Key { return k },
	value: Block.String,
	text:  func(b Block) string { return b.Text },
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

// What a begin line says of the file as it was before: taking the block away
// then takes the newline before it too, or the whole file if it is empty.
const (
	noNewline = " (there was no newline before this)"
	noFile    = " (there was no file before this)"
)

// FileFunctions are what the commands of files are made of: functions of the
// shell, because a program's arguments have a limit that a large file exceeds.
//
// lvsctl_block PATH MODE BEGIN END LINE... takes a block out of a file and puts
// the lines into a new one at the end, if there are any. Everything else stays
// byte by byte; what its begin line says of the file goes to the next block's, if
// that comes right after. Marker lines that do not pair up are nobody's to guess
// at. MODE is that of a file that is not there yet.
//
// lvsctl_file PATH MODE LINE... writes a whole file of root's, or removes it.
//
// The new file takes the old one's place at once, with its owner, mode and
// SELinux context (cp -a); where it cannot, because the file is a mount of its own
// (containers), it is written over. Its name until then begins with a dot: no
// system takes such a file for configuration.
const FileFunctions = `lvsctl_put() {
  sync "$n" 2>/dev/null
  mv -f "$n" "$f" 2>/dev/null || { cat "$n" >"$f" && rm -f "$n"; } || { rm -f "$n"; exit 1; }
  if command -v restorecon >/dev/null; then restorecon "$f"; fi
  exit 0
}
lvsctl_remove() {
  rm -f "$n" "$f" || exit
  case $f in /etc/lvsctl/*|*.network.d/*|*.service.d/*) rmdir "$d" 2>/dev/null ;; esac
  exit 0
}
lvsctl_block() (
  f=$(readlink -f "$1") && [ -n "$f" ] || f=$1
  m=$2 b=$3 e=$4; shift 4
  d=${f%/*} n=${f%/*}/.lvsctl.new from=$f new=
  if [ -e "$f" ]; then cp -a "$f" "$n" || exit
  else
    [ $# -gt 0 ] || exit 0
    [ -d "$d" ] || mkdir -p "$d" || exit
    (umask 077; : >"$n") && chmod "$m" "$n" || exit
    from=/dev/null new=1
  fi
  if grep -q -x -F -e "$b` + noFile + `" "$from"; then new=1; fi
  awk -v b="$b" -v e="$e" -v open="$(tail -c 1 "$from")" '
$0 == b || $0 == b "` + noNewline + `" || $0 == b "` + noFile + `" { bad += inside; inside = 1; mark = substr($0, length(b) + 1); next }
$0 == e { bad += !inside; inside = 0; last = 1; next }
!inside { if (last && $0 ~ /^# BEGIN lvsctl [^ ]*$/) $0 = $0 mark; if (n++) printf "\n"; printf "%s", $0; last = 0 }
END { if (inside || bad) exit 1; if (n && (last ? mark != "` + noNewline + `" : open == "")) printf "\n" }' "$from" >"$n" ||
  { echo "the lines \"$b\" and \"$e\" in $f do not pair up" >&2; rm -f "$n"; exit 1; }
  if [ $# -gt 0 ]; then
    if [ -n "$(tail -c 1 "$n")" ]; then b="$b` + noNewline + `"; echo >>"$n"
    elif [ -n "$new" ]; then b="$b` + noFile + `"; fi
    printf '%s\n' "$b" "$@" "$e" >>"$n" || { rm -f "$n"; exit 1; }
  elif [ -n "$new" ] && ! [ -s "$n" ]; then lvsctl_remove; fi
  lvsctl_put
)
lvsctl_file() (
  f=$1 m=$2; shift 2
  d=${f%/*} n=${f%/*}/.lvsctl.new
  if [ $# -eq 0 ]; then lvsctl_remove; fi
  [ -d "$d" ] || mkdir -p "$d" || exit
  { (umask 077; printf '%s\n' "$@" >"$n") && chown 0:0 "$n" && chmod "$m" "$n"; } || { rm -f "$n"; exit 1; }
  lvsctl_put
)
`

// newFileMode is what a shared file gets that is not there yet: some are run.
func newFileMode(path string) string {
	if strings.HasSuffix(path, ".modules") || strings.HasSuffix(path, "/rc.local") {
		return "0755"
	}
	return "0644"
}

func writeBlock(k BlockKey, b Block) shell.Command {
	args := []string{"lvsctl_block", k.Path, newFileMode(k.Path), k.begin(), k.end()}
	if b.Text != "" {
		args = append(args, b.lines()...)
	}
	return shell.Cmd(args...)
}

// reload makes systemd read a unit file that changed. Nothing is started,
// stopped or reloaded by it but systemd's own idea of its units.
func reload(path string, commands ...shell.Command) []shell.Command {
	if strings.HasPrefix(path, "/etc/systemd/system/") {
		commands = append(commands, shell.Cmd("systemctl", "daemon-reload"))
	}
	return commands
}

// blockSection prints a topology's block of each file that has one, marker lines
// included, after the file's path. paths are patterns of the shell.
func blockSection(topology string, paths []string) Section {
	k := BlockKey{Topology: topology}
	quoted := strings.NewReplacer(".", `\.`)
	begin, end := quoted.Replace(k.begin()), quoted.Replace(k.end())
	mark := `\( (there was no [a-z]* before this)\)\{0,1\}$`
	script := "set -- " + HostsFile + " " + strings.Join(paths, " ") + `
{ grep -l -e ` + shell.Quote("^"+begin+mark) + ` /dev/null "$@" 2>/dev/null || :; } | while IFS= read -r f; do
  printf 'file %s\n' "$f"
  sed -n ` + shell.Quote("/^"+begin+mark+"/,/^"+end+"$/p") + ` "$f"
done`
	return Section{"files", script, func(text string, s *State) error {
		return parseBlocks(text, topology, s)
	}}
}

// begins reports whether a line is the block's first.
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
