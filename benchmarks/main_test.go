package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tiny is enough to see that all of it runs.
var tiny = sizes{
	batch: 200, oneByOne: 40, parked: 100, crowd: 200, idle: 10, known: 1000, queued: 200, requests: 64,
	records: 2000, replaced: 10, groups: 20, blocked: 50, past: 20, waiters: 100,
	asking: time.Millisecond, repeating: time.Millisecond,
}

// The test binary is also what a run of the tests takes its samples with.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-sample" {
		if err := run(os.Args[1:], tiny, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // else each sample lasts a second longer with -race
	os.Exit(m.Run())
}

func TestARunWritesThePageAndTheChart(t *testing.T) {
	dir := t.TempDir()
	var out strings.Builder
	if err := run([]string{"-rounds", "1", "-out", dir}, tiny, &out); err != nil {
		t.Fatalf("run: %v\n%s", err, &out)
	}
	page, err := os.ReadFile(filepath.Join(dir, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows(tiny) {
		if !strings.Contains(out.String(), r.key+": "+r.title) {
			t.Errorf("row %s was not printed:\n%s", r.key, &out)
		}
		if !strings.Contains(string(page), "\n| "+r.title+" | ") {
			t.Errorf("row %q is not in the table:\n%s", r.title, page)
		}
	}
	for _, peer := range []string{"alitto/pond/v2 v2.", "panjf2000/ants/v2 v2.", "sourcegraph/conc v0.", "golang.org/x/sync v0."} {
		if !strings.Contains(string(page), peer) {
			t.Errorf("the page does not tell the version of %s:\n%s", peer, page)
		}
	}
	if !strings.Contains(string(page), "(benchmarks.svg)") {
		t.Errorf("the page does not show the chart:\n%s", page)
	}
	chart, err := os.Open(filepath.Join(dir, "benchmarks.svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer chart.Close()
	wellFormed(t, chart)
}

func TestARunOfSomeRowsWritesNothing(t *testing.T) {
	dir := t.TempDir()
	var out strings.Builder
	if err := run([]string{"-rounds", "1", "-out", dir, "-only", "^(stats|limit)$"}, tiny, &out); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"stats": true, "limit": true, "limit-queued": false, "submit": false} {
		if got := strings.Contains(out.String(), "\n"+key+": "); got != want {
			t.Errorf("row %s printed: %t, want %t\n%s", key, got, want, &out)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) > 0 {
		t.Errorf("it wrote %v", files)
	}
}

// Here the earlier build is this one.
func TestARunAgainstAnEarlierBuildComparesOnlyWithThatAndWritesNothing(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var out strings.Builder
	args := []string{"-rounds", "1", "-out", dir, "-only", "^(submit-listed|echo|wait-groups)$", "-against", program}
	if err := run(args, tiny, &out); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{" before ": 3, "undisturbed": 0, "bare go": 0, "no manager": 0, "≤ 1.05": 1, "≥ 0.95": 1, " of 2 goals": 1} {
		if got := strings.Count(out.String(), text); got != want {
			t.Errorf("%q is printed %d times, want %d:\n%s", text, got, want, &out)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("it wrote %v, %v", files, err)
	}
}

func TestARunThatCannotSucceedSaysWhy(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "docs")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-out", nowhere}, "root of the repository"},
		{[]string{"-rounds", "0"}, "-rounds is 0"},
		{[]string{"-only", "nonsense"}, "none of submit, "},
		{[]string{"-only", "("}, "-only: "},
		{[]string{"-against", nowhere}, nowhere},
		{[]string{"-sample", "nonsense/ours"}, `"nonsense/ours"`},
		{[]string{"-sample", "submit/nonsense"}, `"nonsense"`},
	} {
		var out strings.Builder
		err := run(c.args, tiny, &out)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: the error is %v, want one with %q", c.args, err, c.want)
		}
		if out.Len() > 0 {
			t.Errorf("%q: it began, and printed %q", c.args, &out)
		}
	}
}

// wellFormed reads all of an XML document and counts its elements by their class, or else their name.
func wellFormed(t *testing.T, document io.Reader) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	for d := xml.NewDecoder(document); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return counts
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		if element, ok := token.(xml.StartElement); ok {
			name := element.Name.Local
			for _, a := range element.Attr {
				if a.Name.Local == "class" {
					name = a.Value
				}
			}
			counts[name]++
		}
	}
}
