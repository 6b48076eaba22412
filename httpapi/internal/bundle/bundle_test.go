package bundle

import (
	"maps"
	"testing"
)

func TestWhatIsPackedComesOut(t *testing.T) {
	files := map[string]string{"a.js": "let a = 1;\n", "empty": "", "ü.txt": "ünïcode"}
	packed, err := Pack(files)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := Unpack(string(packed))
	if err != nil || !maps.Equal(unpacked, files) {
		t.Errorf("%q, %v", unpacked, err)
	}
	if _, err := Unpack(string(packed[:len(packed)/2])); err == nil {
		t.Error("half of a bundle is one")
	}
	if _, err := Pack(map[string]string{"a": "\x00"}); err == nil {
		t.Error("a file with a zero byte is packed, and would come out as two")
	}
}
