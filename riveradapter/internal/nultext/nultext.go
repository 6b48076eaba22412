// Package nultext finds and replaces the character NUL, which PostgreSQL stores neither in text nor in JSON.
package nultext

import (
	"bytes"
	"strings"
)

// Replacement stands in for a NUL.
const Replacement = "\uFFFD"

// CleanText replaces each NUL.
func CleanText(s string) string { return strings.ReplaceAll(s, "\x00", Replacement) }

// escaped is how JSON writes a NUL, and the only way that it can.
var escaped = []byte(`\u0000`)

// InJSON reports whether a string in the JSON document has a NUL.
func InJSON(doc []byte) bool { return nextEscape(doc, 0) >= 0 }

// CleanJSON replaces each NUL in the strings of the JSON document. It gives doc itself if there is none.
func CleanJSON(doc []byte) []byte {
	i := nextEscape(doc, 0)
	if i < 0 {
		return doc
	}
	cleaned := bytes.Clone(doc)
	for ; i >= 0; i = nextEscape(cleaned, i) {
		copy(cleaned[i:], `\ufffd`) // as long as what it replaces
	}
	return cleaned
}

// nextEscape gives where the next escaped NUL begins, or -1. A backslash that is itself escaped begins none.
func nextEscape(doc []byte, from int) int {
	for {
		i := bytes.Index(doc[from:], escaped)
		if i < 0 {
			return -1
		}
		at := from + i
		before := 0
		for at-before > 0 && doc[at-before-1] == '\\' {
			before++
		}
		if before%2 == 0 {
			return at
		}
		from = at + 1
	}
}
