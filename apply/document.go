package apply

import "github.com/lvsctl/lvsctl/plan"

// Document is the plan's JSON with what became of it.
type Document struct {
	plan.Document
	Complete    bool              `json:"complete"`
	Unconfirmed map[string]string `json:"unconfirmed,omitempty"`
}

// Document returns the result in the JSON schema that plans have too. verb
// begins its summary.
func (res Result) Document(verb string) Document {
	d := Document{Document: res.Plan.Document(), Complete: res.Complete()}
	if res.Outcomes != nil {
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
	for name, err := range res.Unconfirmed {
		if d.Unconfirmed == nil {
			d.Unconfirmed = map[string]string{}
		}
		d.Unconfirmed[name] = err.Error()
	}
	return d
}
