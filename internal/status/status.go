// Package status says what a cluster does now: who holds the VIPs, what every virtual
// service and real server has to do, what is down or drained, and whether each node is
// as its topology wants it.
//
// A [Report] is data, and what status --json prints. It is made of a survey, which says
// how the nodes are, and of readings, which say what the directors do ([New]). table.go
// shows it to a person.
package status

import (
	"time"

	"github.com/lvsctl/lvsctl/internal/state"
)

// FormatVersion is the version of the JSON schema of reports, as [plan.FormatVersion] is
// of plans.
const FormatVersion = "1.0"

// Report is a topology's nodes and services at one moment.
type Report struct {
	FormatVersion string    `json:"format_version"`
	Topology      string    `json:"topology"`
	At            time.Time `json:"at"`
	// Alarms are what is wrong between the nodes.
	Alarms []string `json:"alarms,omitempty"`
	// Nodes are in the order of a plan, Services by director in that order.
	Nodes    []Node    `json:"nodes"`
	Services []Service `json:"services"`
}

// Node is a node's health.
type Node struct {
	Name    string `json:"name"`
	Role    string `json:"role"`
	Address string `json:"address"`
	// Error is why the node could not be read, or why a director's traffic cannot be.
	Error string `json:"error,omitempty"`
	// Differences are how many things are not as last applied, and Pending how many
	// changes the topology wants that were not applied yet.
	Differences int `json:"differences"`
	Pending     int `json:"not_applied"`
	// Blocked is why those changes cannot be applied.
	Blocked []string `json:"blocked,omitempty"`
	// Never reports that the topology was never applied to the node; else Applied is the
	// last apply that changed it.
	Never   bool          `json:"never_applied,omitempty"`
	Applied state.Applied `json:"applied,omitzero"`
	// Part is a director's among those that have its VIPs: master, backup, or "" where it
	// has them alone.
	Part Part `json:"part,omitempty"`
	// Holds are the VIPs that a director has, Lacks those that it should have alone.
	Holds []string `json:"holds,omitempty"`
	Lacks []string `json:"lacks,omitempty"`
	// FailedOver are its vrrp_instances whose VIPs people keep on another director than the
	// topology's first, by name.
	FailedOver map[string]state.FailedOver `json:"failed_over,omitempty"`
}

// Part is a director's part among several.
type Part string

// The parts of directors that share VIPs.
const (
	Master Part = "master"
	Backup Part = "backup"
)

// Service is a virtual service on one director.
type Service struct {
	Director string `json:"director"`
	// Name is the topology's; "" for a service that is not in the topology.
	Name string `json:"name,omitempty"`
	// Service is its protocol and address, or mark.
	Service string `json:"service"`
	// How is its scheduler and what goes with it, as ipvsadm lists it.
	How string `json:"how,omitempty"`
	// State is "" for one that is as it should be.
	State   State    `json:"state,omitempty"`
	Load             // of all its servers
	Servers []Server `json:"servers"`
}

// Server is a real server in a service.
type Server struct {
	Name    string `json:"name,omitempty"` // of the node, if it is one of the topology
	Address string `json:"address"`
	Mode    string `json:"mode,omitempty"`
	Weight  int    `json:"weight"`
	// State is "" for one that gets its share; Since is when it came to be something else,
	// if that is known, and By who drained it.
	State State     `json:"state,omitempty"`
	Since time.Time `json:"since,omitzero"`
	By    string    `json:"by,omitempty"`
	Load
}

// Load is what somebody has to do.
type Load struct {
	Active   int `json:"active"`
	Inactive int `json:"inactive"`
	// Rates are nil until two readings are there.
	Rates *Rates `json:"rates"`
}

// Rates are a second's.
type Rates struct {
	Connections float64 `json:"connections"`
	PacketsIn   float64 `json:"packets_in"`
	PacketsOut  float64 `json:"packets_out"`
	BytesIn     float64 `json:"bytes_in"`
	BytesOut    float64 `json:"bytes_out"`
}

// State is what is special about a service or a server.
type State string

// The states. Down is a server that keepalived has taken out; Drained one that has no
// weight although the topology gives it some; Idle one that the topology gives none;
// Gone is not in the table, and nobody knows why; Foreign is not in the topology; Sorry
// stands in for servers that are all down.
const (
	Down        State = "down"
	Drained     State = "drained"
	Maintenance State = "maintenance"
	Idle        State = "weight 0"
	Gone        State = "gone"
	Foreign     State = "not in topology"
	Sorry       State = "sorry server"
)
