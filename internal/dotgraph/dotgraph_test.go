package dotgraph_test

import (
	"slices"
	"testing"

	"go.uber.org/fx"

	"github.com/fxtasks/background/internal/dotgraph"
)

type (
	a struct {
		Text string `quoted:"a\"quoted\" tag"`
	}
	b struct{}
	c struct{}
)

// graphOf gives the graph of an application as Fx writes it, so that a change of its form is seen.
func graphOf(t *testing.T, options ...fx.Option) dotgraph.Graph {
	t.Helper()
	var dot fx.DotGraph
	app := fx.New(fx.NopLogger, fx.Options(options...), fx.Populate(&dot))
	if err := app.Err(); err != nil {
		t.Fatal(err)
	}
	return dotgraph.Parse(string(dot))
}

func TestGives(t *testing.T) {
	g := graphOf(t, fx.Supply(&a{}), fx.Module("m", fx.Provide(func() b { return b{} }, fx.Private)))
	for typ, want := range map[string]bool{"*dotgraph_test.a": true, "dotgraph_test.a": false, "dotgraph_test.b": true} {
		if got := g.Gives(typ); got != want {
			t.Errorf("Gives(%q) is %t, want %t", typ, got, want)
		}
	}
}

func TestMissing(t *testing.T) {
	group := fx.ResultTags(`group:"b"`)
	for name, test := range map[string]struct {
		option fx.Option
		want   []string
	}{
		"no constructor":                   {fx.Options(), nil},
		"one without parameters":           {fx.Provide(func() a { return a{} }), nil},
		"one that is supplied":             {fx.Supply(a{}), nil},
		"a parameter is missing":           {fx.Provide(func(b) a { return a{} }), []string{"dotgraph_test.b"}},
		"two are":                          {fx.Provide(func(c, b) a { return a{} }), []string{"dotgraph_test.b", "dotgraph_test.c"}},
		"one of two is":                    {fx.Provide(func(c, b) a { return a{} }, func() b { return b{} }), []string{"dotgraph_test.c"}},
		"a parameter's parameter is":       {fx.Provide(func(b) a { return a{} }, func(c) b { return b{} }), []string{"dotgraph_test.c"}},
		"the same one is, on two ways":     {fx.Provide(func(b, c) a { return a{} }, func(c) b { return b{} }), []string{"dotgraph_test.c"}},
		"an optional one is":               {fx.Provide(fx.Annotate(func(b) a { return a{} }, fx.ParamTags(`optional:"true"`))), nil},
		"one of that name is":              {fx.Provide(fx.Annotate(func(b) a { return a{} }, fx.ParamTags(`name:"x y"`)), func() b { return b{} }), []string{"dotgraph_test.b[name=x y]"}},
		"one of that name is there":        {fx.Provide(fx.Annotate(func(b) a { return a{} }, fx.ParamTags(`name:"x"`)), fx.Annotate(func() b { return b{} }, fx.ResultTags(`name:"x"`))), nil},
		"a group is empty":                 {fx.Provide(fx.Annotate(func([]b) a { return a{} }, fx.ParamTags(`group:"b"`))), nil},
		"a group cannot be built":          {fx.Provide(fx.Annotate(func([]b) a { return a{} }, fx.ParamTags(`group:"b"`)), fx.Annotate(func(c) b { return b{} }, group)), []string{"dotgraph_test.c"}},
		"a group can be":                   {fx.Provide(fx.Annotate(func([]b) a { return a{} }, fx.ParamTags(`group:"b"`)), fx.Annotate(func() b { return b{} }, group)), nil},
		"one of two private ones works":    {fx.Options(fx.Module("1", fx.Provide(func(b) a { return a{} }, fx.Private)), fx.Module("2", fx.Provide(func() a { return a{} }, fx.Private))), nil},
		"neither of two private ones does": {fx.Options(fx.Module("1", fx.Provide(func(b) a { return a{} }, fx.Private)), fx.Module("2", fx.Provide(func(b) a { return a{} }, fx.Private))), []string{"dotgraph_test.b"}},
		"what Fx provides is there":        {fx.Provide(func(fx.Lifecycle) a { return a{} }), nil},
		"a type that is hard to quote": {fx.Provide(func(struct {
			X a `x:"\"\\"`
		}) a {
			return a{}
		}), []string{`struct { X dotgraph_test.a "x:\"\\\"\\\\\"" }`}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := graphOf(t, test.option).Missing("dotgraph_test.a"); !slices.Equal(got, test.want) {
				t.Errorf("missing are %q, want %q", got, test.want)
			}
		})
	}
}

func TestTakes(t *testing.T) {
	g := graphOf(t,
		fx.Provide(func(b) a { return a{} }, func(c) b { return b{} }, func() c { return c{} }, func() string { return "" }),
		fx.Provide(fx.Annotate(func(string) int { return 0 }, fx.ResultTags(`group:"g"`))))
	for _, test := range []struct {
		typ, other string
		want       bool
	}{
		{"dotgraph_test.a", "dotgraph_test.b", true},
		{"dotgraph_test.a", "dotgraph_test.c", true},
		{"dotgraph_test.b", "dotgraph_test.a", false},
		{"dotgraph_test.a", "dotgraph_test.a", false},
		{"dotgraph_test.a", "string", false},
		{"nothing", "string", false},
		{dotgraph.Group("int", "g"), "string", true},
		{dotgraph.Group("int", "g"), "dotgraph_test.c", false},
	} {
		if got := g.Takes(test.typ, test.other); got != test.want {
			t.Errorf("%s takes %s: %v, want %v", test.typ, test.other, got, test.want)
		}
	}
}

// Fx reports cycles; the questions only have to end.
func TestACycleEnds(t *testing.T) {
	const dot = "digraph {\n\tsubgraph cluster_0 {\n\t\tconstructor_0 [shape=plaintext label=\"x\"];\n\t\t\"a\" [label=<a>];\n\t}\n" +
		"\tconstructor_0 -> \"a\" [ltail=cluster_0];\n}"
	g := dotgraph.Parse(dot)
	if got := g.Missing("a"); got != nil {
		t.Errorf("missing are %q", got)
	}
	if !g.Takes("a", "a") {
		t.Error("a does not take itself")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("digraph {\n\tsubgraph cluster_0 {\n\t\t\"a\" [label=<a>];\n\t}\n\tconstructor_0 -> \"b\" [ltail=cluster_0];\n\t\"g\" -> \"b\";\n}", "a")
	f.Add("\t\t\"\\xZZ\" [label=<>];", "")
	f.Fuzz(func(_ *testing.T, dot, typ string) {
		g := dotgraph.Parse(dot)
		_ = g.Missing(typ)
		_ = g.Takes(typ, "b")
	})
}
