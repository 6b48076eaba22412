package httpapi

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

const maxWaitSeconds = 30 // that a client may ask for

// preferredWait finds wait=N among the preferences, RFC 7240. What it does not understand it
// ignores, as the RFC wants.
func preferredWait(headers []string) (time.Duration, bool) {
	if len(headers) == 0 { // as nearly always
		return 0, false
	}
	for _, preference := range splitUnquoted(strings.Join(headers, ","), ',') {
		preference = splitUnquoted(preference, ';')[0] // less its parameters
		name, value, _ := strings.Cut(preference, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0, false
		}
		return time.Duration(min(n, maxWaitSeconds)) * time.Second, true
	}
	return 0, false
}

// splitUnquoted splits s at each separator that stands outside of a quoted string.
func splitUnquoted(s string, separator byte) (parts []string) {
	begin, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++ // whatever comes next is in the string
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, s[begin:i])
			begin = i + 1
		}
	}
	return append(parts, s[begin:])
}
