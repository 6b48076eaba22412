package pgtext

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestOnlyWhatPostgreSQLRefusesIsFound(t *testing.T) {
	for _, s := range []string{"", "a", "\x00", "a\x00b\x00", `\u0000`, `\\u0000`, "\\\x00", `\` + "\x00" + `\u0000`, `\ud800`, "😀"} {
		doc, err := json.Marshal([]string{s})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := RefusedJSON(doc), strings.Contains(s, "\x00"); got != want {
			t.Errorf("RefusedJSON(%s) is %v, want %v", doc, got, want)
		}
	}
}

// Halves of surrogate pairs come from others: Go does not write them.
func TestHalvesOfSurrogatePairsAreReplaced(t *testing.T) {
	for doc, want := range map[string]string{
		`"\ud83d\ude00"`:       `"\ud83d\ude00"`,
		`"\ud83d"`:             `"\ufffd"`,
		`"\uDE00x"`:            `"\ufffdx"`,
		`"\ude00\ud83d"`:       `"\ufffd\ufffd"`,
		`"\ud83d\ud83d\ude00"`: `"\ufffd\ud83d\ude00"`,
		`"\ud83d\n"`:           `"\ufffd\n"`,
		`"\ud83d\u0000"`:       `"\ufffd\ufffd"`,
		`"\\ud83d"`:            `"\\ud83d"`,
		`"\u00e9\n`:            `"\u00e9\n`, // cut off: no JSON
		`"\u00`:                `"\u00`,
		`"\`:                   `"\`,
	} {
		if got := string(CleanJSON([]byte(doc))); got != want {
			t.Errorf("%s became %s, want %s", doc, got, want)
		}
	}
}

func FuzzCleanJSON(f *testing.F) {
	f.Add("a\x00b", `\u0000`)
	f.Add(`\`, "\x00")
	f.Add(`\ud800`, "😀\x00")
	f.Fuzz(func(t *testing.T, key, value string) {
		doc, err := json.Marshal(map[string]string{key: value})
		if err != nil {
			t.Fatal(err)
		}
		before := string(doc)
		var got, want map[string]string
		if err := json.Unmarshal(CleanJSON(doc), &got); err != nil {
			t.Fatalf("%s became %s: %v", doc, CleanJSON(doc), err)
		}
		if err := json.Unmarshal([]byte(before), &want); err != nil {
			t.Fatal(err)
		}
		for k, v := range want {
			if got[Clean(k)] != Clean(v) {
				t.Errorf("%s became %s", before, CleanJSON(doc))
			}
		}
		if string(doc) != before {
			t.Error("the document that was given has changed")
		}
	})
}
