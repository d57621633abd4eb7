package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Drained real servers of directors that keepalived runs on.
//
// keepalived gives its table the weights of its file: at each reload, and when a check
// succeeds again. So the file has the weights and the flags that the table is to have, and
// a drain writes it and has it reloaded. The file is made from the topology. Where that
// wants other things of it too, which were not applied yet, a drain would do them along
// with it: then it is refused.

// quiescedConfig is keepalived's configuration with the weights and the schedulers' flags that
// want has for the table.
func quiescedConfig(c *keepalived.Config, want *state.State) *keepalived.Config {
	quiet := *c
	quiet.Services = slices.Clone(c.Services)
	for i := range quiet.Services {
		s := &quiet.Services[i]
		k := live.KeepalivedService(*s)
		if table, ok := want.Services[k]; ok {
			s.Flags = strings.FieldsFunc(table.Flags, func(r rune) bool { return r == ',' })
		}
		s.Servers = slices.Clone(s.Servers)
		for j := range s.Servers {
			if table, ok := want.Servers[state.ServerKey{Service: k, Addr: s.Servers[j].Addr}]; ok {
				s.Servers[j].Weight = table.Weight
			}
		}
	}
	return &quiet
}

// withKeepalived is want with the file of a configuration, in the words of the version
// that is there, and with a keepalived that has loaded it.
func (in *Input) withKeepalived(want *state.State, c *keepalived.Config) *state.State {
	text := c.Render(in.Live.Facts.Keepalived.Version)
	hash := keepalived.Hash(text)
	want = want.Clone()
	want.Texts[hash] = live.ConfText(text)
	want.Confs[keepalived.File] = state.Conf{Hash: hash, Mode: "0600"}
	want.Keepalived[state.KeepalivedName] = state.Keepalived{Loaded: keepalived.Hash(keepalived.Strip(text))}
	want.Governed = live.Governs(*c)
	return want
}

// keepalivedNotApplied says why a director's keepalived cannot be told of a drain; "" if it
// can. in.Want has the file as the topology has it, with what is drained now.
func (in *Input) keepalivedNotApplied() string {
	if in.Keepalived == nil {
		return ""
	}
	set, ours := in.Live.Record.Set.Confs[keepalived.File]
	const first = "; run lvsctl apply first"
	switch have := in.Live.State.Confs[keepalived.File]; {
	case !ours:
		return "its keepalived is not run by this topology yet" + first
	case set.Hash != in.Want.Confs[keepalived.File].Hash:
		return "the topology wants something else of its keepalived than was applied" + first
	case have.Hash != set.Hash:
		return fmt.Sprintf("somebody has changed its %s since it was applied%s", keepalived.File, first)
	}
	return ""
}

// reloadCuts are the connections that a reload would end, in the words of older versions of
// keepalived that do not change everything in place.
func (in *Input) reloadCuts(want *state.State) []string {
	var list []string
	if in.Keepalived == nil {
		return nil
	}
	facts := &in.Live.Facts.Keepalived
	for _, e := range keepalived.Reload(facts.Loaded, *quiescedConfig(in.Keepalived, want), facts.Version) {
		if e.Cuts {
			list = append(list, e.What)
		}
	}
	return list
}
