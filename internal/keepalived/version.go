package keepalived

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Version is a release: 2.2.7. The zero Version is one that is not known.
type Version [3]int

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// Compare is negative if v is older than other.
func (v Version) Compare(other Version) int { return slices.Compare(v[:], other[:]) }

// Before reports whether v is older than other.
func (v Version) Before(other Version) bool { return v.Compare(other) < 0 }

// Known reports whether there is a version at all.
func (v Version) Known() bool { return v != Version{} }

// ParseVersion reads the first line of keepalived -v, which all versions print on
// standard error:
//
//	Keepalived v2.2.7 (01/16,2022)
func ParseVersion(line string) (Version, bool) {
	_, rest, ok := strings.Cut(line, "Keepalived v")
	if !ok {
		return Version{}, false
	}
	if i := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i >= 0 {
		rest = rest[:i]
	}
	return parseVersion(rest)
}

func parseVersion(text string) (Version, bool) {
	var v Version
	parts := strings.Split(text, ".")
	if len(parts) > len(v) {
		parts = parts[:len(v)]
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil {
			return Version{}, false
		}
		v[i] = n
	}
	return v, v.Known()
}

// feature is something that not every version has.
type feature int

const (
	vrrp3      feature = iota // vrrp_version and version
	globalSync                // lvs_sync_daemon in global_defs
	sctp
	persistenceEngine
	scriptSecurity // enable_script_security, script_user
	shFlags        // sh-port, sh-fallback
	serverMethod   // lvs_method in real_server
	httpRetry      // retry in HTTP_GET instead of nb_get_retry
	mhFlags        // mh-port, mh-fallback
	twos           // the scheduler, from where unknown ones are refused
	udpCheck       // UDP_CHECK
	fractions      // of seconds in checks
	tunnelType     // TUN type gue|gre; gue alone came with 2.0.18
	mixedFamilies  // the other family in virtual_ipaddress_excluded
	weightZero     // again, see refuse.go
	checkLoad      // TCP_CHECK retry, delay_before_retry
	// Behaviour rather than words:
	identityByID    // an instance is its router id, not its name
	noticesLoss     // a VIP that somebody deletes comes back
	strictTimer     // a rejected advert counts as silence
	editsInPlace    // scheduler, persistence and method are edited
	identityUnicast // unicast and its source are part of an instance's identity
	lenientAdvert   // other addresses in an advert are tolerated
	showsLoaded     // the loaded configuration can be read under /proc
	tests           // keepalived -t
)

// since says in which version each feature came. The sources are keepalived's
// own, at each tag; behaviour was tried on 1.2.13, 1.3.5, 2.1.5, 2.2.7 and 2.3.3.
var since = map[feature]Version{
	vrrp3:             {1, 2, 20},
	globalSync:        {1, 2, 20},
	sctp:              {1, 2, 20},
	persistenceEngine: {1, 2, 20},
	scriptSecurity:    {1, 3, 0},
	shFlags:           {1, 3, 0},
	identityByID:      {1, 3, 0},
	serverMethod:      {1, 3, 6},
	noticesLoss:       {2, 0, 0},
	strictTimer:       {2, 0, 0},
	httpRetry:         {2, 0, 0},
	tests:             {2, 0, 4},
	mhFlags:           {2, 0, 7},
	editsInPlace:      {2, 0, 19},
	tunnelType:        {2, 0, 20},
	udpCheck:          {2, 1, 0},
	fractions:         {2, 1, 0},
	mixedFamilies:     {2, 1, 0},
	identityUnicast:   {2, 1, 0},
	weightZero:        {2, 2, 0},
	twos:              {2, 2, 0},
	showsLoaded:       {2, 2, 0},
	lenientAdvert:     {2, 3, 3},
}

// has reports whether a version has a feature.
func (v Version) has(f feature) bool { return !v.Before(since[f]) }

// Tests reports whether the version's keepalived -t tests a file. An older one
// says that it does not know the option, and exits with 0.
func (v Version) Tests() bool { return v.has(tests) }

// ShowsLoaded reports whether what runs can be read under /proc.
func (v Version) ShowsLoaded() bool { return v.has(showsLoaded) }

// packaged is what each distribution has, for a node that has yet to install it.
// After the installation the node itself is asked.
var packaged = map[string]Version{
	"el6": {1, 2, 13}, "el7": {1, 3, 5}, "el8": {2, 1, 5}, "el9": {2, 2, 8}, "el10": {2, 2, 8},
	"debian11": {2, 1, 5}, "debian12": {2, 2, 7}, "debian13": {2, 3, 3},
	"ubuntu24.04": {2, 2, 8},
}

// newest is what an unknown distribution is taken to have.
var newest = Version{2, 2, 8}

// Packaged is the version that a distribution installs. os has the ID and VERSION_ID of
// /etc/os-release, then the words of its ID_LIKE. What is like Red Hat's goes by its
// major release.
func Packaged(os []string) Version {
	if len(os) < 2 {
		return newest
	}
	name := os[0] + os[1]
	if os[0] != "fedora" && (os[0] == "rhel" || slices.Contains(os[2:], "rhel")) {
		major, _, _ := strings.Cut(os[1], ".")
		name = "el" + major
	}
	if v, ok := packaged[name]; ok {
		return v
	}
	return newest
}
