package lang

import "testing"

func TestFunctions(t *testing.T) {
	tests := []struct{ expr, want string }{
		{`upper("abc")`, "ABC"},
		{`format("%s-%02d", "rs", 7)`, "rs-07"},
		{`join(",", sort(keys(merge({ a = 1 }, { b = 2 }))))`, "a,b"},
		{`length("größe")`, "5"},
		{`length([1, 2])`, "2"},
		{`lookup({ a = "x" }, "b", "other")`, "other"},
		{`join(",", setproduct(["a"], ["b", "c"])[1])`, "a,c"},
		{`jsonencode({ a = [1, true] })`, `{"a":[1,true]}`},
		{`element(flatten([["a"], ["b"]]), 1)`, "b"},
		{`zipmap(["a"], ["b"]).a`, "b"},
		{`try(jsondecode("{"), "no")`, "no"},
		{`tostring(can(tonumber("x")))`, "false"},
		{`regex("[0-9]+", "rs12")`, "12"},
		{`replace("a.b", ".", "-")`, "a-b"},
		{`tostring(contains(["a"], "a"))`, "true"},
		{`tostring(max(1, 5, 3))`, "5"},
		{`coalesce("", "x")`, "x"},
		{`env("HOME")`, "/root"},
		{`coalesce(env("NOT_SET"), "unset")`, "unset"},
		{`join(",", [for i in range(3) : "n${i}"])`, "n0,n1,n2"},
		{`tostring(length(toset(["a", "a"])))`, "1"},
		{`join(",", tolist(["a", "b"]))`, "a,b"},
		{`tomap({ a = "b" })["a"]`, "b"},
		{`title("hello world")`, "Hello World"},
		{`substr("hello", 1, 3)`, "ell"},
		{`trimsuffix("eth0.100", ".100")`, "eth0"},
	}
	for _, test := range tests {
		if have := evaluated(t, test.expr); have != test.want {
			t.Errorf("%s: want %q, have %q", test.expr, test.want, have)
		}
	}
}
