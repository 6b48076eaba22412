package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fxtasks/background/fxtasks"
)

// Values whose printing goes wrong.
type (
	panicsWithItself struct{}
	stringPanics     struct{}
	errorGoexits     struct{}
	nilPointer       struct{ text string }
	selfSlice        []any
	holdsMap         struct{ m map[int]int }
	countsPrints     struct{ n *int }
)

func (e *panicsWithItself) Error() string { panic(e) }
func (stringPanics) String() string       { panic("String") }
func (errorGoexits) Error() string        { runtime.Goexit(); return "" }
func (e *nilPointer) Error() string       { return e.text }
func (e countsPrints) Error() string      { *e.n++; return "printed" }

func TestValuesThatCannotBePrintedGiveTheirType_zap1504_zerolog357(t *testing.T) {
	loop := make(selfSlice, 1)
	loop[0] = loop
	for what, c := range map[string]struct {
		value any
		want  string
	}{
		"Error panics with itself": {&panicsWithItself{}, "panicsWithItself"},
		"String panics":            {stringPanics{}, "stringPanics"},
		"nil pointer":              {(*nilPointer)(nil), "nilPointer"},
		"contains itself":          {loop, "selfSlice"},
		"map":                      {holdsMap{map[int]int{1: 1}}, "holdsMap"},
		"pointer":                  {&holdsMap{}, "holdsMap"},
		"func":                     {func() {}, "func()"},
		"Error calls Goexit":       {errorGoexits{}, "errorGoexits"},
		"string":                   {"boom", "boom"},
		"number":                   {42, "42"},
		"error":                    {errWork, errWork.Error()},
	} {
		t.Run(what, func(t *testing.T) {
			m, logs := observed(t, fxtasks.Config{})
			task := submit(t, m, "work", func(context.Context) error { panic(c.value) })
			<-task.Done()
			info := task.Info()
			if info.Status != fxtasks.Failed || !strings.Contains(info.ErrText, c.want) {
				t.Errorf("%v with the text %q, want failed with %q", info.Status, info.ErrText, c.want)
			}
			p := (*fxtasks.PanicError)(nil)
			if !errors.As(info.Err, &p) || p.Error() != info.ErrText {
				t.Errorf("Err says %q, ErrText %q", p.Error(), info.ErrText)
			}
			if lines := linesWith(logs, "task panicked"); len(lines) != 1 || lines[0].ContextMap()["error"] != info.ErrText {
				t.Errorf("lines are %v", lines)
			}
			if page := m.List(fxtasks.Filter{Text: c.want}); page.Total != 1 {
				t.Errorf("%d found by the text", page.Total)
			}
		})
	}
}

func TestErrorsThatCannotBePrintedGiveTheirType_zap1504(t *testing.T) {
	for what, err := range map[string]error{
		"panicsWithItself": &panicsWithItself{}, "nilPointer": (*nilPointer)(nil), "errorGoexits": errorGoexits{},
	} {
		t.Run("returned "+what, func(t *testing.T) {
			m, _ := observed(t, fxtasks.Config{})
			task := submit(t, m, "work", func(context.Context) error { return err })
			<-task.Done()
			if info := task.Info(); info.Status != fxtasks.Failed || !strings.Contains(info.ErrText, what) {
				t.Errorf("%v with the text %q", info.Status, info.ErrText)
			}
		})
		if what == "errorGoexits" {
			continue // it ends the goroutine that calls Cancel, before anything is asked
		}
		for _, queued := range []bool{false, true} {
			t.Run(fmt.Sprintf("given to Cancel %s, queued %v", what, queued), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, _ := observed(t, fxtasks.Config{MaxRunning: 1})
					task := submit(t, m, "work", untilCancelled)
					if queued {
						task = submit(t, m, "queued", nothing)
					}
					task.Cancel(err)
					<-task.Done()
					if info := task.Info(); info.Status != fxtasks.Cancelled || info.ErrText == "" {
						t.Errorf("%v with the text %q", info.Status, info.ErrText)
					}
				})
			})
		}
	}
}

func TestTextOfAnErrorIsMadeOnce(t *testing.T) {
	for what, end := range map[string]func(err error) error{
		"returned": func(err error) error { return err },
		"panic":    func(err error) error { panic(err) },
	} {
		t.Run(what, func(t *testing.T) {
			m, _ := observed(t, fxtasks.Config{})
			n := 0
			task := submit(t, m, "work", func(context.Context) error { return end(countsPrints{&n}) })
			<-task.Done()
			m.List(fxtasks.Filter{Text: "printed"})
			_ = task.Info().ErrText
			if n != 1 {
				t.Errorf("Error was called %d times, want once", n)
			}
		})
	}
}
