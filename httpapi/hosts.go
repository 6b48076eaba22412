package httpapi

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// hosts are the names and addresses that are served, in their plainest form. nil: all are.
type hosts map[string]bool

func newHosts(allowed []string) (hosts, error) {
	if len(allowed) == 0 {
		return nil, nil
	}
	all := make(hosts)
	for _, text := range allowed {
		name, ok := plainHost(text)
		if !ok || strings.ContainsAny(name, "/*@ ") {
			return nil, fmt.Errorf("httpapi: Config.AllowedHosts has %q: must be a name or an address, without a port", text)
		}
		all[name] = true
	}
	return all, nil
}

// allow says whether a Host header names a host that is served, whatever the port.
func (all hosts) allow(header string) bool {
	if all == nil {
		return true
	}
	if host, _, err := net.SplitHostPort(header); err == nil {
		header = host
		if strings.Contains(host, ":") { // SplitHostPort took the brackets off
			header = "[" + host + "]"
		}
	}
	name, ok := plainHost(header)
	return ok && all[name]
}

// plainHost gives the one form of a name or address that has several: "LOCALHOST", "localhost.",
// "[0:0::1]". It reports false for what has a port or is empty.
func plainHost(text string) (string, bool) {
	bare := text
	if inner, ok := strings.CutPrefix(text, "["); ok {
		bare = strings.TrimSuffix(inner, "]")
	}
	if address, err := netip.ParseAddr(bare); err == nil {
		return address.Unmap().String(), true
	}
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	return name, name != "" && !strings.ContainsAny(name, ":[]")
}
