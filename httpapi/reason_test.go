package httpapi

import (
	"encoding/json"
	"testing"
)

func FuzzReasonIsJSONs(f *testing.F) {
	for _, body := range []string{
		"null", " {} ", "[]", `"reason"`, `{"reason":"x"}`, `{"reason":1}`, `{"reason":null}`, `{"reason":{}}`, `{"reason":"x","reason":null}`, `{"reason":"x","reason":"y"}`,
		`{"a":[1,{"reason":"no"},"}"],"Reason":"\"\\\/\b\f\n\r\té\u00e9"}`, `{"reason":"\ud83d\ude00 \ud83d \ude00 \ud83d\u0041 \ud83d\\u0041"}`,
		`{"reason":"` + "\xff" + `"}`, `{"r\u0065ason":"x" , "b" : true,"c":-1.5e3}`, `{"reason":[],"b":1}`, `{"reaſon":"long s"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want struct {
			Reason string `json:"reason"`
		}
		err := json.Unmarshal(data, &want)
		reason, ok := reasonOf(data)
		if ok != (err == nil) || ok && reason != want.Reason {
			t.Errorf("%q gives %q, %v; want %q, %v", data, reason, ok, want.Reason, err)
		}
	})
}
