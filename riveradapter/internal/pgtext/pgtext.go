// Package pgtext finds and replaces the characters that PostgreSQL stores neither in text nor in JSON: NUL, and
// halves of surrogate pairs, which JSON can write and UTF-8 cannot.
package pgtext

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Replacement stands in for such a character.
const Replacement = "\uFFFD"

// Clean replaces each NUL, and what is not UTF-8.
func Clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, Replacement), "\x00", Replacement)
}

// RefusedJSON reports whether a string in the JSON document has such a character.
func RefusedJSON(doc []byte) bool { return nextRefused(doc, 0) >= 0 }

// CleanJSON replaces each such character in the strings of the JSON document. It gives doc itself if there is none.
func CleanJSON(doc []byte) []byte {
	i := nextRefused(doc, 0)
	if i < 0 {
		return doc
	}
	cleaned := bytes.Clone(doc)
	for ; i >= 0; i = nextRefused(cleaned, i) {
		copy(cleaned[i:], `\ufffd`) // as long as what it replaces
	}
	return cleaned
}

const escape = len(`\u0000`)

// nextRefused gives where the next such character is escaped, from a position at which no escape has begun, or -1.
func nextRefused(doc []byte, from int) int {
	for i := from; ; {
		next := bytes.IndexByte(doc[i:], '\\')
		if next < 0 {
			return -1
		}
		i += next
		unit, ok := unitAt(doc, i)
		switch {
		case !ok:
			i = min(i+len(`\n`), len(doc))
		case unit == 0:
			return i
		case utf16.IsSurrogate(unit):
			if low, _ := unitAt(doc, i+escape); utf16.DecodeRune(unit, low) == utf8.RuneError {
				return i
			}
			i += 2 * escape
		default:
			i += escape
		}
	}
}

// unitAt gives the UTF-16 code unit that is escaped at i.
func unitAt(doc []byte, i int) (unit rune, ok bool) {
	if len(doc) < i+escape || doc[i] != '\\' || doc[i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(doc[i+2:i+escape]), 16, 16)
	return rune(n), err == nil
}
