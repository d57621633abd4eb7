package apply

import "github.com/lvsctl/lvsctl/plan"

// Document is the JSON of a result: the plan's, with the outcomes.
type Document struct {
	plan.Document
	Complete bool `json:"complete"`
	// The maps are those of [Result], with the error as text.
	Locked      map[string]string `json:"locked,omitempty"`
	Stale       map[string]string `json:"stale,omitempty"`
	RolledBack  map[string]string `json:"rolled_back,omitempty"`
	Unconfirmed map[string]string `json:"unconfirmed,omitempty"`
}

// Document returns the result in the JSON schema of plans. verb is the first word of its
// summary, for example "Apply".
func (res Result) Document(verb string) Document {
	d := Document{
		Document: res.Plan.Document(), Complete: res.Complete(),
		Locked: reasons(res.Locked), Stale: reasons(res.Stale),
		RolledBack: reasons(res.Reverted), Unconfirmed: reasons(res.Unconfirmed),
	}
	if res.Tried() {
		d.Summary.Text = res.Summary(verb)
	}
	for i := range d.Changes {
		item := &d.Changes[i]
		o, ok := res.Outcomes[item.ID]
		if !ok {
			continue
		}
		item.Result = string(o.Status)
		if o.Err != nil {
			item.Error = o.Err.Error()
		}
	}
	return d
}

func reasons[E error](errs map[string]E) map[string]string {
	texts := make(map[string]string, len(errs))
	for name, err := range errs {
		texts[name] = err.Error()
	}
	return texts
}
