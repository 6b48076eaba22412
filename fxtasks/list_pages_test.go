package fxtasks_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/fxtasks/background/fxtasks"
)

func TestListLimit(t *testing.T) {
	const kept = 1500
	m := newManager(t, fxtasks.Config{RetainFinished: kept})
	for range kept {
		submit(t, m, "task", nothing)
	}
	for _, test := range []struct{ limit, want int }{
		{0, 100}, {1, 1}, {99, 99}, {101, 101}, {1000, 1000}, {1001, 1000}, {kept, 1000},
	} {
		page := m.List(fxtasks.Filter{Limit: test.limit})
		if len(page.Tasks) != test.want || page.Total != kept || page.Next == "" {
			t.Errorf("Limit %d gives %d tasks, Total %d, Next %q: want %d, %d and a next page",
				test.limit, len(page.Tasks), page.Total, page.Next, test.want, kept)
		}
	}
}

func TestListPagesGiveEveryTaskOnce(t *testing.T) {
	const kept = 60
	m := newManager(t, fxtasks.Config{})
	for i := range 2 * kept {
		submit(t, m, []string{"wanted", "other"}[i%2], nothing)
	}
	for _, limit := range []int{1, 7, kept - 1, kept, kept + 1} { // kept: the last page is full
		filter := fxtasks.Filter{Name: "wanted", Limit: limit}
		want := m.List(fxtasks.Filter{Name: "wanted", Limit: kept}).Tasks
		var got []fxtasks.Info
		pages := 0
		for {
			page := m.List(filter)
			got = append(got, page.Tasks...)
			pages++
			if page.Total != kept {
				t.Errorf("Limit %d: page %d has Total %d, want %d", limit, pages, page.Total, kept)
			}
			if page.Next == "" {
				break
			}
			filter.After = page.Next
		}
		if !slices.Equal(seqsOf(got), seqsOf(want)) {
			t.Errorf("Limit %d: got %v, want %v", limit, seqsOf(got), seqsOf(want))
		}
		if wantPages := (kept + limit - 1) / limit; pages != wantPages {
			t.Errorf("Limit %d: %d pages, want %d", limit, pages, wantPages)
		}
	}
}

// TestListPagesWhileTasksComeAndGo forgets, between the pages, tasks that were given already, the
// very one that the page ended with, and some that are still to come; and submits new ones.
func TestListPagesWhileTasksComeAndGo(t *testing.T) {
	const tasks, limit = 100, 7
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		release := make([]chan struct{}, tasks)
		for i := range release {
			release[i] = make(chan struct{})
			submit(t, m, "task", until(release[i]), fxtasks.WithID(fmt.Sprint(i)))
		}
		forget := func(i int) {
			select {
			case <-release[i]: // before
			default:
				close(release[i])
			}
			synctest.Wait()
			m.Cleanup()
		}
		seen := make(map[string]int)
		last := uint64(fxtasks.Latest)
		filter := fxtasks.Filter{Limit: limit}
		for page := m.List(filter); ; page = m.List(filter) {
			for _, info := range page.Tasks {
				seen[info.ID]++
				if info.Seq >= last {
					t.Errorf("task %d comes after task %d", info.Seq, last)
				}
				last = info.Seq
			}
			if page.Next == "" {
				break
			}
			filter.After = page.Next
			submit(t, m, "new", nothing)
			for _, gone := range []int{int(last) - 1, int(last), tasks - 1} { // ID i has Seq i+1
				forget(gone)
			}
			if next := int(last) - 3; next >= 0 && next%2 == 0 {
				forget(next)
				seen[fmt.Sprint(next)]++ // it went before its page came
			}
		}
		for i := range tasks {
			if n := seen[fmt.Sprint(i)]; n != 1 {
				t.Errorf("task %d was seen %d times", i, n)
			}
		}
		if len(seen) != tasks {
			t.Errorf("saw %d tasks, want the %d that were there at the first page", len(seen), tasks)
		}
		for i := range release {
			forget(i)
		}
	})
}

func TestListMalformedAfterGivesAnEmptyPage(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	for range 3 {
		submit(t, m, "task", nothing)
	}
	token := m.List(fxtasks.Filter{Limit: 2}).Next
	if got := m.List(fxtasks.Filter{After: token}).Tasks; len(got) != 1 {
		t.Fatalf("After %q gives %d tasks, want 1", token, len(got))
	}
	for _, after := range []string{"nonsense", " ", "\x00", "0", "2", "1000", "-1", "18446744073709551616", token + "x", token + " ",
		" " + token, "x" + token, token + token} {
		if page := m.List(fxtasks.Filter{After: after}); len(page.Tasks) != 0 || page.Next != "" {
			t.Errorf("After %q gives %d tasks, Next %q", after, len(page.Tasks), page.Next)
		}
	}
}
