package plan

import "testing"

func TestReplaceAddress(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.1.1":                    "HERE",
		"from 10.1.1.1 lookup":        "from HERE lookup",
		"10.1.1.1/32":                 "HERE/32",
		"10.1.1.1:80":                 "HERE:80",
		"10.1.1.12":                   "10.1.1.12",
		"210.1.1.1":                   "210.1.1.1",
		"10.1.1.1.example":            "10.1.1.1.example",
		"It has 10.1.1.1.":            "It has HERE.",
		"web-10.1.1.1":                "web-10.1.1.1",
		"10.1.1.12 10.1.1.1 10.1.1.1": "10.1.1.12 HERE HERE",
		"10.1.1.1010.1.1.1":           "10.1.1.1010.1.1.1",
	} {
		if have := replaceAddress(text, "10.1.1.1", "HERE"); have != want {
			t.Errorf("%q becomes %q, want %q", text, have, want)
		}
	}
	for text, want := range map[string]string{
		"[fd00::1]:80":  "[HERE]:80",
		"fd00::1/64":    "HERE/64",
		"fd00::1:2":     "fd00::1:2",
		"fd00::12":      "fd00::12",
		"1:fd00::1":     "1:fd00::1",
		"via fd00::1":   "via HERE",
		"via fd00::1 .": "via HERE .",
	} {
		if have := replaceAddress(text, "fd00::1", "HERE"); have != want {
			t.Errorf("%q becomes %q, want %q", text, have, want)
		}
	}
}
