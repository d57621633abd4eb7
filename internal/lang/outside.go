package lang

import (
	"os"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// variablePrefix begins the environment variables that give a variable its
// value.
const variablePrefix = "LVSCTL_VAR_"

// outside is what functions read from outside the topology, and what of it is
// sensitive.
type outside struct {
	environ map[string]string
	// variables says of each declared variable whether it is sensitive. Until it is
	// known, every one is.
	variables map[string]bool
	values    []os.FileInfo // files of values
	// secretsRead counts the sensitive values that functions have returned.
	secretsRead int
}

func newOutside(in Input) *outside {
	o := &outside{environ: map[string]string{}}
	for _, line := range in.Environ {
		if name, value, ok := strings.Cut(line, "="); ok {
			o.environ[name] = value
		}
	}
	for _, path := range in.VarFiles {
		if info, err := os.Stat(path); err == nil {
			o.values = append(o.values, info)
		}
	}
	return o
}

// isSecret reports whether a variable is sensitive, or may be.
func (o *outside) isSecret(variable string) bool {
	sensitive, known := o.variables[variable]
	return sensitive || !known
}

// hasSecrets reports whether any variable is sensitive, or may be.
func (o *outside) hasSecrets() bool {
	for _, sensitive := range o.variables {
		if sensitive {
			return true
		}
	}
	return o.variables == nil
}

// secret marks a value that a function read.
func (o *outside) secret(text string) cty.Value {
	o.secretsRead++
	return cty.StringVal(text).Mark(sensitive)
}

// envFunc reads the environment; a variable that is not set is "". What gives a
// sensitive variable its value is sensitive here too.
func (o *outside) envFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "name", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if variable, gives := strings.CutPrefix(name, variablePrefix); gives && o.isSecret(variable) {
				return o.secret(o.environ[name]), nil
			}
			return cty.StringVal(o.environ[name]), nil
		},
	})
}

// fileFunc reads a text file. A topology may come from anyone, and what it reads
// ends in a plan that others see: nothing outside its folder can be named,
// neither by .. nor through a symbolic link. A file that holds values of
// sensitive variables is sensitive here too.
func (m *Module) fileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			text, info, err := readBelow(m.Dir, path)
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "cannot read %s: %s", Quote(path), reason(err))
			}
			for _, other := range append(m.source.opened, m.outside.values...) {
				if os.SameFile(info, other) && m.outside.hasSecrets() {
					return m.outside.secret(string(text)), nil
				}
			}
			return cty.StringVal(string(text)), nil
		},
	})
}
