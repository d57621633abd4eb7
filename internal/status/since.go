package status

import "time"

// Memory knows since when a server has been in its state, as far as that was seen.
type Memory struct{ seen map[memoryKey]memory }

type memoryKey struct{ director, service, server string }

type memory struct {
	state State
	since time.Time // zero where it was so from the beginning
}

// Note completes a report by what earlier ones said, and remembers it.
func (m *Memory) Note(r *Report) {
	first := m.seen == nil
	if first {
		m.seen = map[memoryKey]memory{}
	}
	for i := range r.Services {
		s := &r.Services[i]
		for j := range s.Servers {
			one := &s.Servers[j]
			k := memoryKey{s.Director, s.Service, one.Address}
			was, known := m.seen[k]
			if !known || was.state != one.State {
				was = memory{state: one.State}
				if !first {
					was.since = r.At
				}
				m.seen[k] = was
			}
			if one.Since.IsZero() && one.State != "" {
				one.Since = was.since
			}
		}
	}
}
