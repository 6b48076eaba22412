// Package bundle packs files into one, compressed, so that programs that embed them grow by a quarter
// of their size. The form is a deflated list, each name and each content ended by a zero byte: what
// archive/tar or archive/zip need would weigh more than they save.
package bundle

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// margins are what only people read: indentation, and lines that are comments or empty.
var margins = regexp.MustCompile(`(?m)^\t+|^\s*// .*\n|^\n`)

// Read reads the files that match the patterns, without what only people read; JSON is compact.
func Read(dir fs.FS, patterns ...string) (map[string]string, error) {
	files := make(map[string]string)
	for _, pattern := range patterns {
		paths, err := fs.Glob(dir, pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range paths {
			content, err := fs.ReadFile(dir, file)
			if err != nil {
				return nil, err
			}
			if path.Ext(file) == ".json" {
				var compact bytes.Buffer
				if err := json.Compact(&compact, content); err != nil {
					return nil, fmt.Errorf("%s: %w", file, err)
				}
				content = compact.Bytes()
			}
			files[file] = margins.ReplaceAllString(string(content), "")
		}
	}
	return files, nil
}

// Pack gives the bundle of files, contents by name. Neither may contain a zero byte.
func Pack(files map[string]string) ([]byte, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	names := slices.SortedFunc(maps.Keys(files), func(a, b string) int { // like beside like takes less
		return cmp.Or(cmp.Compare(path.Ext(a), path.Ext(b)), cmp.Compare(a, b))
	})
	for _, name := range names {
		if strings.Contains(name+files[name], "\x00") {
			return nil, fmt.Errorf("%s contains a zero byte", name)
		}
		fmt.Fprintf(w, "%s\x00%s\x00", name, files[name]) // a bytes.Buffer takes all
	}
	err = w.Close()
	return packed.Bytes(), err
}

// Unpack gives the files of a bundle that Pack has made.
func Unpack(packed string) (map[string]string, error) {
	list, err := io.ReadAll(flate.NewReader(strings.NewReader(packed)))
	if err != nil {
		return nil, err
	}
	files := make(map[string]string)
	for rest := string(list); rest != ""; {
		var name, content string
		name, rest, _ = strings.Cut(rest, "\x00")
		content, rest, _ = strings.Cut(rest, "\x00")
		files[name] = content
	}
	return files, nil
}
