package checks

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// The ledger's history of a real manager says what was done.
func TestLedger(t *testing.T) {
	f := new(Findings)
	l := NewLedger(f)
	m, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Shutdown(t.Context())
	submit := func(o Order, end func(*Entry) error) *fxtasks.Task {
		e := l.Open(o)
		task, err := m.Submit(t.Context(), o.Name, func(ctx context.Context) error {
			e.Begins(ctx)
			return end(e)
		}, fxtasks.WithMetadata(e.Metadata()), fxtasks.WithID(o.ID), fxtasks.WithDuplicate(o.Policy))
		e.Answer(task, err, nil)
		return task
	}
	ends := submit(Order{Name: "ends", ID: "ends"}, func(e *Entry) error { return e.Returns(errBoom) })
	_ = ends.Wait(t.Context())
	panics := submit(Order{Name: "panics", ID: "panics"}, func(e *Entry) error { panic(e.Panics("boom")) })
	_ = panics.Wait(t.Context())
	submit(Order{Name: "joins", ID: "ends", Policy: fxtasks.Join}, nil)
	if l.Waits(l.Recent(0).account.Answered) {
		t.Error("a submit waits, want all to have been answered")
	}
	l.Open(Order{Name: "waits"})
	if e := l.Recent(0); !l.Waits(e.account.Called.Add(1)) || l.Waits(e.account.Called) {
		t.Error("no submit waits, want the last to")
	}
	first := l.Recent(3)
	if o := l.Owner(l.Recent(1), ends.Info()); o != first {
		t.Errorf("the task that was joined is owned by submit %d, want %d", o.N, first.N)
	}
	if o := l.Owner(first, fxtasks.Info{}); o != first {
		t.Errorf("a task without metadata is owned by submit %d, want that which gave it", o.N)
	}
	h := l.History()
	if a := h.Accounts[0]; !a.Accepted() || a.Attempt != 1 || a.How != Returned || a.Returned != errBoom || a.Info.Status != fxtasks.Failed {
		t.Errorf("what ends has the account %+v", a)
	}
	if a := h.Accounts[1]; !a.Accepted() || a.Attempt != 1 || a.How != Panicked || a.Panicked != "boom" {
		t.Errorf("what panics has the account %+v", a)
	}
	if a := h.Accounts[2]; !a.Joined || a.Accepted() || a.Attempt != 0 {
		t.Errorf("what joins has the account %+v", a)
	}
	expect(t, f, "")
}

func TestEntryAnswer(t *testing.T) {
	m, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Shutdown(t.Context())
	another, err := m.Submit(t.Context(), "another", func(context.Context) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		order Order
		task  *fxtasks.Task
		err   error
		found string
	}{
		{"refused", Order{}, nil, errBoom, ""},
		{"bare", Order{Bare: true}, another, nil, ""},
		{"joined", Order{ID: another.ID(), Policy: fxtasks.Join}, another, nil, ""},
		{"neither", Order{}, nil, nil, "want either a task or an error"},
		{"both", Order{}, another, errBoom, "want either a task or an error"},
		{"another's, and does not join", Order{ID: another.ID()}, another, nil, "the task of another"},
		{"another's, of another ID", Order{ID: "x", Policy: fxtasks.Join}, another, nil, "the task of another"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(Findings)
			NewLedger(f).Open(c.order).Answer(c.task, c.err, nil)
			expect(t, f, c.found)
		})
	}
}

func TestGauge(t *testing.T) {
	f := new(Findings)
	g := Gauge{Findings: f, What: "tasks", Limit: 1}
	g.Enter()
	g.Leave()
	g.Enter()
	expect(t, f, "")
	g.Enter()
	expect(t, f, "tasks: 2 at once, want at most 1")
}

func TestFindingsAreBounded(t *testing.T) {
	f := new(Findings)
	for i := range maxFindings + 3 {
		f.Addf("number %d", i)
	}
	list := f.List()
	if len(list) != maxFindings+1 || list[0] != "number 0" || list[maxFindings] != "and 3 more" {
		t.Errorf("list is %q", list)
	}
}

type uncomparable []string

func (uncomparable) Error() string { return "uncomparable" }

func TestErrorsThatCannotBeCompared(t *testing.T) {
	odd, even := uncomparable{"odd"}, uncomparable{"even"}
	if !Same(odd, odd) || Same(odd, errBoom) || Same(errBoom, odd) || Same(nil, odd) || Same(errBoom, errors.New("boom")) {
		t.Error("Same does not tell errors apart")
	}
	if !carries(fmt.Errorf("wrapped: %w", odd), even) || carries(errBoom, odd) {
		t.Error("carries does not tell errors apart")
	}
}
