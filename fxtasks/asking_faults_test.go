package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/fxtasks/background/fxtasks"
)

func TestIDsOfOneGoroutineAreInOrder(t *testing.T) {
	m := newManager(t, fxtasks.Config{RetainFinished: -1})
	last := ""
	for range 20_000 {
		id := submit(t, m, "work", nothing).ID()
		if id <= last {
			t.Fatalf("%s follows %s", id, last)
		}
		last = id
	}
	if id, err := uuid.Parse(last); err != nil || id.Version() != 7 {
		t.Errorf("%s is no UUIDv7: %v", last, err)
	}
}

func TestProgressDoesNotCrowdOutOtherEvents(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1})
	submit(t, m, "reports", func(ctx context.Context) error {
		for i := range 2000 {
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: int64(i)})
		}
		return nil
	})
	for range 10 {
		submit(t, m, "fails", func(context.Context) error { return errWork })
	}
	last := submit(t, m, "reports", func(ctx context.Context) error {
		for i := range 2000 {
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: int64(i)})
		}
		return nil
	})
	<-last.Done()
	if err := m.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	sub, of := m.Subscribe(0), 0
	for e := range sub.All(context.Background()) {
		if e.Task.Name == "fails" {
			of++
		}
	}
	if of != 30 || sub.Missed() != 0 {
		t.Errorf("%d events of those that fail, %d missed, want 30 and 0", of, sub.Missed())
	}
}

func TestSubscribeWithASeqOfAnotherLifeGivesAllAndCountsTheRest(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	sub := m.Subscribe(1000)
	for range 100 {
		if err := submit(t, m, "work", nothing).Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range sub.All(context.Background()) {
		n++
	}
	if n != 300 {
		t.Errorf("%d events, want all 300", n)
	}
}

func TestFilterTextFindsNameIDAndError(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	for name, fn := range map[string]fxtasks.Func{
		"Send-Mail": nothing,
		"report":    func(context.Context) error { return errors.New("no MAIL server") },
		"other":     nothing,
	} {
		<-submit(t, m, name, fn, fxtasks.WithID("id-"+name)).Done()
	}
	for text, want := range map[string]int{"mail": 2, "MAIL": 2, "ID-": 3, "id-other": 1, "server": 1, "": 3, "none": 0} {
		if page := m.List(fxtasks.Filter{Text: text}); page.Total != want || len(page.Tasks) != want {
			t.Errorf("%q finds %d, total %d, want %d", text, len(page.Tasks), page.Total, want)
		}
	}
}

func TestOrdersGiveAllPagesAndRefuseTokensOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		const n = 7
		for i := range n { // the first to be submitted is the last to end
			submit(t, m, "work", sleeps(time.Duration(n-i)*time.Second), fxtasks.WithID(fmt.Sprint(i)))
		}
		if err := m.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		submit(t, m, "active", untilCancelled, fxtasks.WithID("a"))
		tokens := make(map[fxtasks.Order]string)
		for order, want := range map[fxtasks.Order]string{
			fxtasks.NewestFirst: "a6543210", fxtasks.OldestFirst: "0123456a", fxtasks.LatestEndedFirst: "0123456",
		} {
			var got strings.Builder
			f := fxtasks.Filter{Order: order, Limit: 2}
			for {
				page := m.List(f)
				if page.Total != len(want) {
					t.Errorf("order %v: total %d", order, page.Total)
				}
				for _, info := range page.Tasks {
					got.WriteString(info.ID)
				}
				if page.Next == "" || got.Len() > 20 {
					break
				}
				f.After, tokens[order] = page.Next, page.Next
			}
			if got.String() != want {
				t.Errorf("order %v gives %s, want %s", order, got.String(), want)
			}
		}
		for of, token := range tokens {
			for order := range tokens {
				if page := m.List(fxtasks.Filter{Order: order, After: token}); order != of && len(page.Tasks) != 0 {
					t.Errorf("a token of order %v gives %d tasks in order %v", of, len(page.Tasks), order)
				}
			}
		}
	})
}

func TestGroupsTellOfThemselves(t *testing.T) {
	m := newManager(t, fxtasks.Config{TaskTimeout: time.Minute, DrainGrace: time.Minute})
	if n := len(m.Groups()); n != 0 {
		t.Errorf("%d groups of a new manager", n)
	}
	cfg := fxtasks.GroupConfig{MaxRunning: 2, DrainGrace: time.Second}
	b, a := newGroup(t, m, "b", cfg), newGroup(t, m, "a", fxtasks.GroupConfig{DrainGrace: -1})
	cfg.TaskTimeout = time.Minute // as it leaves that to the manager
	if b.Config() != cfg || b.State() != fxtasks.Open {
		t.Errorf("the group is %v with %+v", b.State(), b.Config())
	}
	if want := (fxtasks.GroupConfig{TaskTimeout: time.Minute, DrainGrace: -1}); a.Config() != want {
		t.Errorf("the group has %+v, want %+v", a.Config(), want)
	}
	mine, other := submit(t, a, "mine", untilCancelled), submit(t, b, "other", untilCancelled)
	if err := a.CancelAll(context.Background(), nil); err != nil || !mine.Status().Finished() || other.Status().Finished() {
		t.Errorf("CancelAll gave %v; %v and %v", err, mine.Status(), other.Status())
	}
	other.Cancel(nil)
	if _, err := b.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if b.State() != fxtasks.Stopped || a.State() != fxtasks.Open {
		t.Errorf("states are %v and %v", b.State(), a.State())
	}
	if g := m.Groups(); len(g) != 2 || g[0] != b || g[1] != a {
		t.Errorf("groups are %v", g)
	}
	if _, err := m.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if a.State() != fxtasks.Stopped {
		t.Errorf("after the manager's shutdown the state is %v", a.State())
	}
}

func TestDuplicateWithoutAnIDIsInvalid(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	for _, p := range []fxtasks.DuplicatePolicy{fxtasks.Reject, fxtasks.Join, fxtasks.Replace} {
		if _, err := m.Submit(context.Background(), "work", nothing, fxtasks.WithDuplicate(p)); !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("%v: %v", p, err)
		}
	}
}

func TestBlockedJoinGoesOnWhenItsTaskIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 1})
		submit(t, m, "busy", untilCancelled)
		queued := submit(t, m, "queued", untilCancelled)
		joined := make(chan *fxtasks.Task, 2)
		for range 2 {
			go func() {
				task, _ := m.Submit(t.Context(), "work", untilCancelled, fxtasks.WithID("id"),
					fxtasks.WithDuplicate(fxtasks.Join), fxtasks.WithBlocking())
				joined <- task
			}()
		}
		synctest.Wait()
		queued.Cancel(nil) // room for one: the other joins it
		synctest.Wait()
		if n := len(joined); n != 2 {
			t.Fatalf("%d of 2 went on", n)
		}
		if a, b := <-joined, <-joined; a != b || a == nil {
			t.Errorf("they got %v and %v", a, b)
		}
	})
}
