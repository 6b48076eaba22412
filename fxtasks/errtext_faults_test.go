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
	formatPanics     string
)

func (e *panicsWithItself) Error() string   { panic(e) }
func (stringPanics) String() string         { panic("String") }
func (errorGoexits) Error() string          { runtime.Goexit(); return "" }
func (formatPanics) Format(fmt.State, rune) { panic("Format") }
func (e *nilPointer) Error() string         { return e.text }
func (e countsPrints) Error() string        { *e.n++; return "printed" }

func TestValuesThatCannotBePrintedGiveTheirType_zap1504_zerolog357(t *testing.T) {
	loop := make(selfSlice, 1)
	loop[0] = loop
	for what, c := range map[string]struct {
		value any
		want  string
	}{
		"Error panics with itself": {&panicsWithItself{}, "panicsWithItself"},
		"String panics":            {stringPanics{}, "stringPanics"},
		"Format panics":            {formatPanics("text"), "formatPanics"},
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

func TestACancelWithACauseThatCannotBePrintedIsNotLost(t *testing.T) {
	for name, cancel := range map[string]func(m *fxtasks.Manager, task *fxtasks.Task){
		"Task.Cancel": func(_ *fxtasks.Manager, task *fxtasks.Task) { task.Cancel(errorGoexits{}) },
		"Manager.Cancel": func(m *fxtasks.Manager, task *fxtasks.Task) {
			m.Cancel(context.Background(), task.ID(), errorGoexits{})
		},
		"Manager.CancelAll": func(m *fxtasks.Manager, _ *fxtasks.Task) { m.CancelAll(context.Background(), errorGoexits{}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				task := submit(t, m, "work", func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) })
				synctest.Wait()
				returned := make(chan bool, 1)
				go func() {
					done := false
					defer func() { returned <- done }()
					cancel(m, task)
					done = true
				}()
				if !<-returned {
					t.Error("the goroutine of who cancelled was ended")
				}
				<-task.Done()
				if task.Status() != fxtasks.Cancelled || !errors.Is(task.Err(), errorGoexits{}) {
					t.Errorf("%v: %T", task.Status(), task.Err())
				}
				if text := task.Info().ErrText; !strings.Contains(text, "errorGoexits") {
					t.Errorf("ErrText is %q", text)
				}
			})
		})
	}
}

// The Err of one task can be returned by others, at the same time: its text is that of its own end.
func TestTheTextOfAnErrorThatIsPassedOnStays(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	running := make(chan struct{})
	task := submit(t, m, "work", func(ctx context.Context) error { close(running); <-ctx.Done(); return errors.New("halfway") })
	<-running
	task.Cancel(errors.New("enough"))
	<-task.Done()
	const text = "enough: halfway"
	var others []*fxtasks.Task
	for range 8 {
		others = append(others, submit(t, m, "other", func(context.Context) error { return task.Err() }))
	}
	for _, other := range others {
		<-other.Done()
		if got := other.Info().ErrText; got != text {
			t.Errorf("passed on it is %q", got)
		}
	}
	if got := task.Err().Error(); got != text {
		t.Errorf("it has become %q", got)
	}
}
