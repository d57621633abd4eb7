package ci

import (
	"bytes"
	"fmt"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/lvsctl/lvsctl/plan"
)

// Prometheus is the drift in numbers, in the text format that the node exporter's
// textfile collector reads. There is no time in it: the collector says when it changed
// (node_textfile_mtime_seconds).
func Prometheus(doc plan.Document) ([]byte, error) {
	differences := gauge("lvsctl_drift_differences", "What of a node is not as it was last applied, what cannot be put back included.")
	pending := gauge("lvsctl_drift_pending_changes", "Changes that the topology wants of a node and that were not applied yet.")
	readable := gauge("lvsctl_drift_node_readable", "Whether a node could be read: 1, or 0.")
	alarms := gauge("lvsctl_drift_alarms", "What is wrong between a topology's nodes, such as an address that two of them hold.")
	loaded := gauge("lvsctl_drift_topology_loaded", "Whether a topology could be loaded: 1, or 0.")
	for _, t := range doc.Topologies {
		add(loaded, truth(t.Error == ""), "path", t.Path)
		if t.Error == "" {
			add(alarms, len(t.Alarms), "topology", t.Name)
		}
	}
	for _, n := range doc.Parts() {
		labels := []string{"topology", n.Topology, "node", n.Name, "role", n.Role}
		add(readable, truth(n.Error == ""), labels...)
		if n.Error == "" {
			add(differences, len(n.Changes)+len(n.Problems), labels...)
			add(pending, n.Pending, labels...)
		}
	}
	var b bytes.Buffer
	for _, family := range []*dto.MetricFamily{differences, alarms, pending, readable, loaded} {
		if len(family.Metric) == 0 {
			continue
		}
		if _, err := expfmt.MetricFamilyToText(&b, family); err != nil {
			return nil, fmt.Errorf("cannot write Prometheus's text: %w", err)
		}
	}
	return b.Bytes(), nil
}

func gauge(name, help string) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum()}
}

// add gives a family a sample. labels are names and values by turns.
func add(to *dto.MetricFamily, value int, labels ...string) {
	v := float64(value)
	m := &dto.Metric{Gauge: &dto.Gauge{Value: &v}}
	for i := 0; i < len(labels); i += 2 {
		m.Label = append(m.Label, &dto.LabelPair{Name: &labels[i], Value: &labels[i+1]})
	}
	to.Metric = append(to.Metric, m)
}

func truth(is bool) int {
	if is {
		return 1
	}
	return 0
}
