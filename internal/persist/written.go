package persist

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// writtenLine is a comment by which a program says that it writes a file, whatever it is
// called: Puppet, Ansible, Chef, Salt, cloud-init and their like. It is one of grep -E too.
var writtenLine = regexp.MustCompile(`^[[:space:]]*[#;!/].*([Mm]anaged [Bb]y|MANAGED BY|[Mm]aintained [Bb]y|[Aa]nsible [Mm]anaged|[Dd][Oo] [Nn][Oo][Tt] ([Ee][Dd][Ii][Tt]|[Mm][Oo][Dd][Ii][Ff][Yy])|[Oo]verwritten|OVERWRITTEN|not persist|be lost)`)

// written notes the first such line of a file.
func (b *Boot) written(file, text string) {
	if file == "" || !writtenLine.MatchString(text) || b.Written[file] != "" {
		return
	}
	if b.Written == nil {
		b.Written = map[string]string{}
	}
	b.Written[file] = strings.TrimSpace(text)
}

// others warns of files with lvsctl's lines that somebody else's program writes.
func (j *job) others() {
	var paths []string
	for _, blocks := range []map[state.BlockKey]state.Block{j.out.Blocks, j.Want.Blocks} {
		for k := range blocks {
			if k.Topology == j.Topology && j.Boot.Written[k.Path] != "" {
				paths = append(paths, k.Path)
			}
		}
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("%s says %q: whoever writes it may take lvsctl's lines away; let that program leave the file alone, or keep what stands between \"# BEGIN lvsctl %[3]s\" and \"# END lvsctl %[3]s\"", path, j.Boot.Written[path], j.Topology))
	}
}
