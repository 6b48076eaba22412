package nultext

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestOnlyEscapesOfNULAreFound(t *testing.T) {
	for _, s := range []string{"", "a", "\x00", "a\x00b\x00", `\u0000`, `\\u0000`, "\\\x00", `\` + "\x00" + `\u0000`} {
		doc, err := json.Marshal([]string{s})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := InJSON(doc), strings.Contains(s, "\x00"); got != want {
			t.Errorf("InJSON(%s) is %v, want %v", doc, got, want)
		}
	}
}

func FuzzCleanJSON(f *testing.F) {
	f.Add("a\x00b", `\u0000`)
	f.Add(`\`, "\x00")
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
			if got[CleanText(k)] != CleanText(v) {
				t.Errorf("%s became %s", before, CleanJSON(doc))
			}
		}
		if string(doc) != before {
			t.Error("the document that was given has changed")
		}
	})
}
