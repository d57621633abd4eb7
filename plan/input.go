package plan

import (
	"net/netip"

	"github.com/hashicorp/hcl/v2"
	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Input is what a plan needs to know of one node: what it should have, and what was read
// from it.
type Input struct {
	Name, Role, Address string
	// Base are the node's own addresses, which lvsctl expects and never sets.
	Base []state.AddressKey
	// Exclusive removes virtual services that the topology does not name.
	Exclusive bool
	// Persist is what sets up the node's network at boot, or "" if lvsctl has to find
	// out.
	Persist netsystem.Name
	// RequireTools makes a missing tool a problem. Otherwise it is installed.
	RequireTools bool

	// Destroy is set if Want is empty because the topology gives everything back.
	Destroy bool

	// The fields from Want to Forwards are those of roles.Want; Range is the node's block.
	Want       *state.State
	Ranges     map[state.Ref]hcl.Range
	Range      hcl.Range
	Schedulers []string
	Servers    map[netip.Addr]string
	Replies    []state.Reply
	ByRole     map[state.Ref]bool
	Forwards   map[string]hcl.Range

	// Keepalived is what keepalived is to do on a director; nil for nothing.
	Keepalived *keepalived.Config

	// Member is the node as records name it; without Host records do not name it. Mark is
	// the mark of the topology's records.
	Member state.Member
	Mark   string
	// Orphan is set if the topology no longer has the node, but records name it, perhaps by
	// Aliases too. If Forgotten is set in addition, it is not read, and not named any more.
	Orphan, Forgotten bool
	Aliases           []state.Member

	// Chosen is set if the node may be changed. Other nodes are read because chosen
	// ones depend on them.
	Chosen bool
	// Access is what the topology says of the way to the node and of its host key, as a
	// text that does not depend on where the topology's folder is. A saved plan is valid
	// only for the same text.
	Access string
	// Beside are names of topologies that are known to be others, and not this one
	// under an old name.
	Beside []string
	// Live is the node as it was read, and Err says why it could not be. Both are nil if
	// nobody tried.
	Live *live.Node
	Err  error

	// pair is what the other directors of its instances mean for a director.
	pair pair
}
