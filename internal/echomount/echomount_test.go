package echomount

import (
	"strings"
	"testing"
)

// The tests of the adapters, in adaptertest, prove the rest over HTTP.

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
