package echomount

import (
	"strings"
	"testing"

	"go.uber.org/fx"
)

// The tests of the adapters, in adaptertest, prove the rest over HTTP.

type (
	deep    struct{}
	middle  struct{}
	wanted  struct{}
	grouped struct{}
)

func newMiddle(deep) middle { return middle{} }

func newWanted(middle) wanted { return wanted{} }

func newInGroup(in struct {
	fx.In
	Members []grouped `group:"members"`
	Choice  *deep     `optional:"true"`
}) wanted {
	return wanted{}
}

func TestUnbuildable(t *testing.T) {
	for name, test := range map[string]struct {
		provide fx.Option
		missing string
	}{
		"absent":                   {fx.Options(), ""},
		"complete":                 {fx.Provide(newWanted, newMiddle, func() deep { return deep{} }), ""},
		"supplied":                 {fx.Supply(wanted{}), ""},
		"without what it needs":    {fx.Provide(newWanted), "echomount.middle"},
		"without what that needs":  {fx.Provide(newWanted, newMiddle), "echomount.deep"},
		"of another name":          {fx.Provide(fx.Annotate(newWanted, fx.ResultTags(`name:"other"`))), ""},
		"groups and optional ones": {fx.Provide(newInGroup), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var graph fx.DotGraph
			if err := fx.New(fx.NopLogger, test.provide, fx.Populate(&graph)).Err(); err != nil {
				t.Fatal(err)
			}
			if got := Unbuildable(string(graph), "echomount.wanted"); got != test.missing {
				t.Errorf("%q is missing, want %q; of %s", got, test.missing, graph)
			}
		})
	}
}

func FuzzPrefix(f *testing.F) {
	for _, seed := range []string{"", "/", "ops", "/ops/", "//a//b/", "/a/../b", "/:x", "/*", "ü", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, configured string) {
		prefix, err := Prefix(configured)
		if err != nil {
			return
		}
		if prefix[0] != '/' || strings.HasSuffix(prefix, "/") || strings.Contains(prefix, "//") || strings.ContainsAny(prefix, ":*?#% ") {
			t.Errorf("%q gives %q", configured, prefix)
		}
		if again, err := Prefix(prefix); err != nil || again != prefix {
			t.Errorf("%q gives %q, and that %q (%v)", configured, prefix, again, err)
		}
	})
}
