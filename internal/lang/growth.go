package lang

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// A cost is what a function call takes: the elements and the bytes of its
// result, and its work where that is more than visiting its arguments once.
type cost struct{ elements, bytes, steps int }

// growth foresees what the functions cost whose result, or work, can be far
// larger than their arguments. The arguments are known, not null and unmarked.
var growth = map[string]func(args []cty.Value) (cost, error){
	"csvdecode": func(a []cty.Value) (cost, error) {
		return cost{elements: 1 + strings.Count(text(a, 0), ",") + strings.Count(text(a, 0), "\n")}, nil
	},
	// Each element is compared with all before it.
	"distinct": func(a []cty.Value) (cost, error) { return cost{steps: times(length(a, 0), length(a, 0))}, nil },
	"format":   formatCost, "formatlist": formatCost,
	"indent": func(a []cty.Value) (cost, error) {
		return cost{bytes: times(number(a, 0), strings.Count(text(a, 1), "\n"))}, nil
	},
	"join":       joinCost,
	"jsondecode": jsonCost,
	// Reading a number takes the square of its digits.
	"parseint": func(a []cty.Value) (cost, error) { return cost{}, digitsFit(text(a, 0)) },
	"regex":    matchCost, "regexall": matchCost,
	"regex_replace": func(a []cty.Value) (cost, error) {
		c, err := matchCost([]cty.Value{a[1], a[0]})
		c.bytes = times(len(text(a, 0))+1, len(text(a, 2)))
		return c, err
	},
	"replace": func(a []cty.Value) (cost, error) {
		return cost{bytes: times(strings.Count(text(a, 0), text(a, 1)), len(text(a, 2)))}, nil
	},
	"setproduct": func(a []cty.Value) (cost, error) {
		product := 1
		for i := range a {
			product = times(product, length(a, i))
		}
		return cost{elements: times(product, 1+len(a))}, nil
	},
	"split": func(a []cty.Value) (cost, error) {
		return cost{elements: 1 + strings.Count(text(a, 1), text(a, 0))}, nil
	},
	"tonumber": func(a []cty.Value) (cost, error) { return cost{}, digitsFit(text(a, 0)) },
	"trim":     func(a []cty.Value) (cost, error) { return cost{steps: times(len(text(a, 0)), len(text(a, 1)))}, nil },
}

func digitsFit(text string) error {
	if len(text) > largestExponent {
		return errLongNumber
	}
	return nil
}

func joinCost(a []cty.Value) (cost, error) {
	elements := 0
	for i := range a[1:] {
		elements += length(a, i+1)
	}
	return cost{bytes: times(len(text(a, 0)), elements)}, nil
}

// matchCost: matching visits every letter of the text with every state of the
// pattern.
func matchCost(a []cty.Value) (cost, error) {
	return cost{steps: times(len(text(a, 0)), len(text(a, 1)))}, nil
}

// formatCost adds up the widths and precisions of a format, such as %999999999s.
func formatCost(a []cty.Value) (cost, error) {
	width := 0
	for _, verb := range strings.Split(text(a, 0), "%")[1:] {
		if letter := strings.IndexFunc(verb, unicode.IsLetter); letter >= 0 {
			verb = verb[:letter]
		}
		for _, digits := range strings.FieldsFunc(verb, func(r rune) bool { return r < '0' || r > '9' }) {
			n, err := strconv.Atoi(digits)
			if err != nil {
				n = math.MaxInt32
			}
			width += min(n, math.MaxInt32)
		}
	}
	lists := 1
	for i := range a[1:] {
		lists = max(lists, length(a, i+1))
	}
	return cost{bytes: times(width, lists)}, nil
}

// jsonCost counts elements by their commas, and refuses what would overflow the
// stack of a parser that recurses.
func jsonCost(a []cty.Value) (cost, error) {
	depth, deepest := 0, 0
	for _, c := range []byte(text(a, 0)) {
		switch c {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth--
		}
	}
	if deepest > deepestNesting {
		return cost{}, fmt.Errorf("the text is nested more than %d levels deep", deepestNesting)
	}
	return cost{elements: 1 + strings.Count(text(a, 0), ",")}, nil
}

func text(args []cty.Value, i int) string {
	if i < len(args) && args[i].Type() == cty.String {
		return args[i].AsString()
	}
	return ""
}

func number(args []cty.Value, i int) int {
	if i >= len(args) || args[i].Type() != cty.Number {
		return 0
	}
	n, _ := args[i].AsBigFloat().Int64()
	return int(min(max(n, 0), math.MaxInt32))
}

func length(args []cty.Value, i int) int {
	if i < len(args) && args[i].CanIterateElements() {
		return args[i].LengthInt()
	}
	return 0
}

// times multiplies sizes without overflow.
func times(a, b int) int {
	if a != 0 && b > math.MaxInt32*1024/a {
		return math.MaxInt32 * 1024
	}
	return a * b
}

// guard puts the budget, and the secrecy of sensitive arguments, around a
// function.
func (b *budget) guard(name string, f function.Function) function.Function {
	spec := &function.Spec{
		Description: f.Description(),
		Params:      f.Params(),
		VarParam:    f.VarParam(),
		// The type may depend on the values, so it is found together with the result.
		Type: function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := b.afford(name, args); err != nil {
				return cty.NilVal, err
			}
			v, err := f.Call(args)
			return v, hideValues(err, args)
		},
	}
	for i := range spec.Params {
		spec.Params[i].AllowMarked = true
	}
	if spec.VarParam != nil {
		spec.VarParam.AllowMarked = true
	}
	return function.New(spec)
}

// afford refuses a call before it costs what nobody has.
func (b *budget) afford(name string, args []cty.Value) error {
	have := b.measure(args...)
	if have.tooLarge != nil {
		return have.tooLarge
	}
	if err := b.spend(have.elements); err != nil {
		return err
	}
	foresee := growth[name]
	if foresee == nil {
		return nil
	}
	plain := make([]cty.Value, len(args))
	for i, a := range args {
		plain[i], _ = a.UnmarkDeep()
		if !plain[i].IsWhollyKnown() || plain[i].IsNull() {
			return nil
		}
	}
	c, err := foresee(plain)
	if err != nil {
		return err
	}
	have.check(c.elements, c.bytes, 0)
	if have.tooLarge != nil {
		return have.tooLarge
	}
	if c.steps > b.limits.steps {
		return fmt.Errorf("this takes more than %d steps", b.limits.steps)
	}
	return b.spend(c.steps)
}
