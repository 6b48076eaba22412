package echomount

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const echoType = "*echo.Echo" // as a graph shows it, whatever the major version

// Adapter tells one major version of Echo from the other.
type Adapter struct {
	Echo         string // import path
	OtherEcho    string
	OtherAdapter string
}

// MissingEcho explains why the application, of which graph is the fx.DotGraph, gives the adapter no
// *echo.Echo. Fx would say "missing type: *echo.Echo", also where the other major version's is there.
func (a Adapter) MissingEcho(graph string) error {
	constructors := parse(graph)
	switch missing, provided := constructors.missingFor(echoType); {
	case !provided:
		return fmt.Errorf("no *echo.Echo of %s in the application: provide its echo.New (for %s there is %s)",
			a.Echo, a.OtherEcho, a.OtherAdapter)
	case missing != "":
		return fmt.Errorf("the application's *echo.Echo cannot be built: nothing provides %s", missing)
	}
	return fmt.Errorf("the application's *echo.Echo is not the one of %s, which this adapter needs: for %s use %s",
		a.Echo, a.OtherEcho, a.OtherAdapter)
}

// Unbuildable names the type, if any, for want of which a typ that the application provides cannot be
// built. Fx takes an optional typ for absent then, in silence.
func Unbuildable(graph, typ string) (missing string) {
	missing, _ = parse(graph).missingFor(typ)
	return missing
}

// constructor is what a graph shows of one: the types that it gives and needs.
type constructor struct{ gives, needs []string }

type constructors map[string]*constructor // by number

var (
	beginLine = regexp.MustCompile(`^\s*constructor_(\d+) \[`)
	givesLine = regexp.MustCompile(`^\s*"([^"]+)" \[label=`)
	needsLine = regexp.MustCompile(`^\s*constructor_(\d+) -> "([^"]+)" \[ltail=cluster_\d+\];`) // optional ones have a style too
)

func parse(graph string) constructors {
	all := make(constructors)
	var current *constructor
	for line := range strings.Lines(graph) {
		if m := beginLine.FindStringSubmatch(line); m != nil {
			current = new(constructor)
			all[m[1]] = current
		} else if m := givesLine.FindStringSubmatch(line); m != nil && current != nil {
			current.gives = append(current.gives, m[1])
		} else if m := needsLine.FindStringSubmatch(line); m != nil && all[m[1]] != nil {
			all[m[1]].needs = append(all[m[1]].needs, m[2])
		}
	}
	return all
}

// missingFor reports whether a constructor returns typ, and, if none that does can be built, what is
// missing.
func (all constructors) missingFor(typ string, above ...string) (missing string, provided bool) {
	if slices.Contains(above, typ) || strings.HasPrefix(typ, "[type=") { // a group may be empty
		return "", true
	}
	for _, c := range all {
		if !slices.Contains(c.gives, typ) {
			continue
		}
		provided = true
		lacks := ""
		for _, need := range c.needs {
			deeper, ok := all.missingFor(need, append(slices.Clip(above), typ)...)
			if !ok {
				deeper = need
			}
			if deeper != "" && (lacks == "" || deeper < lacks) {
				lacks = deeper
			}
		}
		if lacks == "" {
			return "", true
		}
		missing = lacks
	}
	return missing, provided
}
