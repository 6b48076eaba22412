// Package dotgraph reads an fx.DotGraph: which constructor of an application gives what, and what
// it needs for that. Fx tells it in no other form.
//
// Types are told by the names that reflect gives them, without import paths. What fx.Decorate and
// fx.Replace do, and what is private to a module, the graph does not show.
package dotgraph

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Graph is the constructors of an application.
type Graph struct {
	providers map[string][]*constructor // by the name of what they give
	members   map[string][]string       // what a value group consists of
}

type constructor struct {
	name  string
	needs []string // without what is optional
	takes []string // all
}

const quoted = `("(?:[^"\\]|\\.)*")`

var (
	packageLine = regexp.MustCompile(`^\t\tlabel = ` + quoted + `;$`)
	nameLine    = regexp.MustCompile(`^\t\tconstructor_(\d+) \[shape=plaintext label=` + quoted + `\];$`)
	resultLine  = regexp.MustCompile(`^\t\t` + quoted + ` \[label=.*\];$`)
	paramLine   = regexp.MustCompile(`^\tconstructor_\d+ -> ` + quoted + ` \[ltail=cluster_\d+( style=dashed)?\];$`)
	memberLine  = regexp.MustCompile(`^\t` + quoted + ` -> ` + quoted + `;$`)
)

// Parse reads the graph. Lines that it does not know it passes over, so that a future Fx costs
// what is made of the graph, and never a sound application.
func Parse(dot string) Graph {
	g := Graph{map[string][]*constructor{}, map[string][]string{}}
	pkg, c := "", new(constructor)
	for line := range strings.SplitSeq(dot, "\n") {
		if strings.HasPrefix(line, "\tsubgraph ") {
			pkg, c = "", new(constructor)
		} else if m := packageLine.FindStringSubmatch(line); m != nil {
			pkg = unquote(m[1]) + "."
		} else if m := nameLine.FindStringSubmatch(line); m != nil {
			c.name = pkg + unquote(m[2])
		} else if m := resultLine.FindStringSubmatch(line); m != nil {
			gives := unquote(m[1])
			g.providers[gives] = append(g.providers[gives], c)
		} else if m := paramLine.FindStringSubmatch(line); m != nil {
			c.takes = append(c.takes, unquote(m[1]))
			if m[2] == "" {
				c.needs = append(c.needs, unquote(m[1]))
			}
		} else if m := memberLine.FindStringSubmatch(line); m != nil {
			group := unquote(m[1])
			g.members[group] = append(g.members[group], unquote(m[2]))
		}
	}
	return g
}

func unquote(s string) string {
	s, _ = strconv.Unquote(s) // a regular expression has matched what Unquote takes
	return s
}

// Gives tells whether a type has a constructor.
func (g Graph) Gives(typ string) bool { return len(g.providers[typ]) > 0 }

// Missing gives what keeps a type from being built, though it has a constructor: the types that
// some constructor on the way needs and none gives. It gives nothing for a type that has no
// constructor, and for one that can be built.
func (g Graph) Missing(typ string) []string {
	if len(g.providers[typ]) == 0 {
		return nil
	}
	missing := g.missing(typ, map[string][]string{})
	slices.Sort(missing)
	return slices.Compact(missing)
}

// missing knows what is missing for the types that it has seen. Of one that it is still looking
// at, nothing is: Fx reports cycles itself.
func (g Graph) missing(typ string, known map[string][]string) (missing []string) {
	if missing, seen := known[typ]; seen {
		return missing
	}
	known[typ] = nil
	defer func() { known[typ] = missing }()
	if strings.HasPrefix(typ, groupPrefix) {
		for _, member := range g.members[typ] {
			missing = append(missing, g.missing(member, known)...)
		}
		return missing
	}
	if len(g.providers[typ]) == 0 {
		return []string{typ}
	}
	for _, c := range g.providers[typ] {
		var ofThis []string
		for _, need := range c.needs {
			ofThis = append(ofThis, g.missing(need, known)...)
		}
		if len(ofThis) == 0 {
			return nil // several are each private to a module: one that works is enough
		}
		missing = append(missing, ofThis...)
	}
	return missing
}

const groupPrefix = "[type="

// Group is how the graph names a value group.
func Group(typ, name string) string { return groupPrefix + typ + " group=" + name + "]" }

// Takes tells whether what a constructor of typ is given, or what that is made of, includes the
// other type.
func (g Graph) Takes(typ, other string) bool { return g.takes(typ, other, map[string]bool{}) }

func (g Graph) takes(typ, other string, seen map[string]bool) bool {
	if seen[typ] {
		return false
	}
	seen[typ] = true
	for _, c := range g.providers[typ] {
		for _, t := range c.takes {
			if t == other || g.takes(t, other, seen) {
				return true
			}
		}
	}
	return slices.ContainsFunc(g.members[typ], func(member string) bool {
		return member == other || g.takes(member, other, seen)
	})
}
