package httpapi

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// reasonOf gives the reason of {"reason": "…"}, as json.Unmarshal would: the member may be absent or
// null, there may be others, and null is an empty object. It returns false for all else. A test holds
// it to json.Unmarshal, which would add 120 KB to every program that does not decode JSON itself.
func reasonOf(data []byte) (reason string, ok bool) {
	if !json.Valid(data) {
		return "", false
	}
	s := scanner{rest: string(data)}
	if s.skipSpace(); s.rest[0] != '{' {
		return "", strings.TrimSpace(s.rest) == "null"
	}
	ok = true
	for s.next(); s.skipSpace(); { // to what follows "{" or ","
		if s.rest[0] == '}' {
			break
		}
		key := s.text()
		s.skipSpace()
		s.next() // ":"
		s.skipSpace()
		switch isReason := strings.EqualFold(key, "reason"); {
		case isReason && s.rest[0] == '"':
			reason = s.text()
		default:
			ok = ok && (!isReason || s.rest[0] == 'n')
			s.skipValue()
		}
		if s.skipSpace(); s.rest[0] == '}' {
			break
		}
		s.next() // ","
	}
	return reason, ok
}

// scanner reads JSON that is known to be valid.
type scanner struct{ rest string }

func (s *scanner) next() { s.rest = s.rest[1:] }

// skipSpace reports whether anything is left.
func (s *scanner) skipSpace() bool {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	return s.rest != ""
}

// skipValue skips a value of any kind, up to what follows it.
func (s *scanner) skipValue() {
	for depth := 0; ; {
		switch s.rest[0] {
		case '"':
			s.text()
			if depth == 0 {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // what the value is a member of
				return
			}
			if depth--; depth == 0 {
				s.next()
				return
			}
		case ',':
			if depth == 0 {
				return
			}
		}
		s.next()
	}
}

// text reads a string. What is no Unicode becomes U+FFFD.
func (s *scanner) text() string {
	var b strings.Builder
	for s.next(); s.rest[0] != '"'; {
		r, size := utf8.DecodeRuneInString(s.rest)
		s.rest = s.rest[size:]
		if r == '\\' {
			r = s.escape()
		}
		b.WriteRune(r)
	}
	s.next()
	return b.String()
}

// escape reads what follows a backslash.
func (s *scanner) escape() rune {
	c := s.rest[0]
	s.next()
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		r := s.unit()
		if !utf16.IsSurrogate(r) {
			return r
		}
		if after, ok := strings.CutPrefix(s.rest, `\u`); ok {
			low := scanner{after}
			if pair := utf16.DecodeRune(r, low.unit()); pair != utf8.RuneError {
				s.rest = low.rest
				return pair
			}
		}
		return utf8.RuneError
	}
	return rune(c) // a quotation mark, or a slash of either kind
}

// unit reads the four digits of a UTF-16 code unit.
func (s *scanner) unit() rune {
	unit, _ := strconv.ParseUint(s.rest[:4], 16, 16)
	s.rest = s.rest[4:]
	return rune(unit)
}
