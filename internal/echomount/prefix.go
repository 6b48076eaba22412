// Package echomount is what the adapters of Echo's major versions share: where the API is mounted,
// which routes it must not meet, and what their errors say.
package echomount

import (
	"cmp"
	"fmt"
	"path"
	"strings"
)

// DefaultPrefix is where the API is mounted if nothing else is said.
const DefaultPrefix = "/background"

// Prefix returns the path to mount at, with a slash before it and none behind it.
func Prefix(configured string) (string, error) {
	if configured == "" {
		return DefaultPrefix, nil
	}
	trimmed := strings.Trim(configured, "/")
	if trimmed == "" || strings.ContainsAny(trimmed, ":*?#% ") || path.Clean("/"+trimmed) != "/"+trimmed {
		return "", fmt.Errorf("Config.Prefix is %q: must be a path such as %q", configured, DefaultPrefix)
	}
	return "/" + trimmed, nil
}

// Route is a route of an Echo.
type Route struct{ Method, Path, Name string }

const nameOfMount = "background tasks at "

// RouteName names the routes of the API mounted at prefix, so that Collision knows them again.
func RouteName(prefix string) string { return nameOfMount + prefix }

// Collision returns an error if a route that is not of the API mounted at prefix lies at or below
// prefix, or belongs to another mount whose paths meet it. Echo would let one of them win in silence.
// Of several it names the first by path and method: Echo v4 keeps them in a map.
func Collision(prefix string, routes []Route) error {
	var first *Route
	for i, r := range routes {
		if r.collides(prefix) && (first == nil || r.before(*first)) {
			first = &routes[i]
		}
	}
	if first == nil {
		return nil
	}
	if other, mounted := strings.CutPrefix(first.Name, nameOfMount); mounted {
		return fmt.Errorf("Config.Prefix is %q: it meets the API that is mounted at %q on the same Echo", prefix, other)
	}
	return fmt.Errorf("Config.Prefix is %q: it meets the application's own route %s", prefix, first)
}

func (r Route) collides(prefix string) bool {
	other, mounted := strings.CutPrefix(r.Name, nameOfMount)
	return mounted && (below(prefix, other) || below(other, prefix)) || !mounted && below(prefix, r.Path)
}

func (r Route) before(other Route) bool {
	return cmp.Or(cmp.Compare(r.Path, other.Path), cmp.Compare(r.Method, other.Method)) < 0
}

// Others returns the routes that are not of the API mounted at prefix itself.
func Others(prefix string, routes []Route) (others []Route) {
	for _, r := range routes {
		if r.Name != RouteName(prefix) {
			others = append(others, r)
		}
	}
	return others
}

// below reports whether path is prefix or lies below it. Echo's Static adds "*" without a slash.
func below(prefix, path string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest == "*" || rest[0] == '/')
}

// String returns method, path and, where Echo knows it, the handler.
func (r Route) String() string {
	method := r.Method
	switch method { // what Echo calls the methods that are none
	case "echo_route_any":
		method = "Any"
	case "echo_route_not_found": // a group with middleware has it too
		method = "RouteNotFound"
	}
	if r.Name == "" || r.Name == r.Method+":"+r.Path {
		return method + " " + r.Path
	}
	return method + " " + r.Path + " (" + r.Name + ")"
}
