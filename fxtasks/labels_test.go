package fxtasks_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// labelledHere says whether the profile shows a goroutine in this function with the label.
//
//go:noinline
func labelledHere(t *testing.T, label string) bool {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		t.Error(err)
	}
	for record := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(record, "labelledHere") {
			return strings.Contains(record, label)
		}
	}
	return false
}

func TestLabelsOfATaskStayOverPprofDo(t *testing.T) {
	const name, page = `"task_name":"labelled"`, `"page":"7"`
	m := newManager(t, fxtasks.Config{})
	err := submit(t, m, "labelled", func(ctx context.Context) error {
		if !labelledHere(t, name) {
			t.Error("before pprof.Do the goroutine has no task_name")
		}
		pprof.Do(ctx, pprof.Labels("page", "7"), func(context.Context) {
			if !labelledHere(t, name) || !labelledHere(t, page) {
				t.Error("in pprof.Do the goroutine has not both labels")
			}
		})
		if !labelledHere(t, name) || labelledHere(t, page) {
			t.Error("after pprof.Do the goroutine has not the task's label alone")
		}
		return nil
	}).Wait(context.Background())
	if err != nil {
		t.Error(err)
	}
}
