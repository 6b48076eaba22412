package checks

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// goodRun gives what its caller ran until his ctx ended.
func goodRun() Account {
	own := &Cause{For: "the caller"}
	ran := asked(task(Order{N: 22, Name: "ran", Run: true, Ends: own}, 97, 97, 99, fxtasks.Cancelled, errors.Join(own, fxtasks.ErrCancelled, errBoom)), 98, own)
	ran.Returned = errBoom
	ran.Back = Back{How: Returned, Returned: errBoom}
	return ran
}

func TestCheckRun(t *testing.T) {
	tell(t, []lie{
		{"has not come back", func(h *History) { h.Accounts[ran].Back = Back{} }, "Run came back"},
		{"another error", func(h *History) { h.Accounts[ran].Back.Returned = fxtasks.ErrCancelled }, "Run came back"},
		{"no error", func(h *History) { h.Accounts[ran].Back.Returned = nil }, "Run came back"},
		{"a panic ends in it", func(h *History) { h.Accounts[ran].How = Panicked }, "Run came back"},
		{"another panic goes on", func(h *History) {
			h.Accounts[ran].How, h.Accounts[ran].Panicked = Panicked, 1
			h.Accounts[ran].Back = Back{How: Panicked, Panicked: 2}
		}, "Run came back"},
		{"the ctx of another ended", func(h *History) { h.Accounts[ran].Ends = &Cause{} }, "nobody asked"},
	})
}

func TestUnrecorded(t *testing.T) {
	f, h := new(Findings), good()
	h.Unrecorded(f, func(id string) bool { return id != "ran" })
	expect(t, f, "")
	h.Unrecorded(f, func(string) bool { return true })
	expect(t, f, "its record is kept")
}

func TestCalls(t *testing.T) {
	for name, c := range map[string]struct {
		call func(ctx context.Context, e *Entry) error
		want Back
	}{
		"returns": {func(_ context.Context, e *Entry) error { return e.Returns(errBoom) }, Back{How: Returned, Returned: errBoom}},
		"panics":  {func(_ context.Context, e *Entry) error { panic(e.Panics("boom")) }, Back{How: Panicked, Panicked: "boom"}},
		"exits": {func(_ context.Context, e *Entry) error {
			e.Exits()
			runtime.Goexit()
			return nil
		}, Back{How: Exited}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := fxtasks.New(fxtasks.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Shutdown(t.Context())
			f := new(Findings)
			l := NewLedger(f)
			e := l.Open(Order{Name: name, Run: true})
			back := make(chan struct{})
			go func() {
				defer close(back)
				e.Calls(func() error {
					return m.Run(t.Context(), name, func(ctx context.Context) error {
						e.Begins(ctx)
						return c.call(ctx, e)
					}, fxtasks.WithMetadata(e.Metadata()))
				})
			}()
			<-back
			l.History().Check(f)
			expect(t, f, "")
			if a := l.History().Accounts[0]; a.Back != c.want || !a.Accepted() {
				t.Errorf("it came back: %+v, want %+v", a.Back, c.want)
			}
		})
	}
	e := NewLedger(new(Findings)).Open(Order{Run: true})
	e.Calls(func() error { return fxtasks.ErrShuttingDown })
	if a := e.close(); a.Refusal != fxtasks.ErrShuttingDown || a.Answered.IsZero() {
		t.Errorf("what was refused has the account %+v", a)
	}
}
