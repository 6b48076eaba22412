package checks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// told is an event that tests make up.
type told struct {
	kind fxtasks.EventKind
	task uint64
	info func(*fxtasks.Info) // changes what the event says of the task
	seq  uint64              // 0: the next
}

// tellStory tells of events one millisecond apart, whose Infos include them unless changed.
func tellStory(s *Story, events []told) {
	seq := s.After
	for _, e := range events {
		if seq++; e.seq > 0 {
			seq = e.seq
		}
		i := fxtasks.Info{Seq: e.task, ID: fmt.Sprint(e.task), Name: "story", CreatedAt: at(1)}
		if e.kind != fxtasks.EventSubmitted {
			i.Status, i.StartedAt, i.Attempt = fxtasks.Running, at(2), 1
			i.Progress.UpdatedAt = at(int(seq))
			i.CancelCause, i.CancelRequestedAt = fxtasks.ErrCancelled, at(3)
		}
		if e.kind == fxtasks.EventFinished {
			i.Status, i.FinishedAt = fxtasks.Completed, at(4)
		}
		if e.info != nil {
			e.info(&i)
		}
		s.Add(fxtasks.Event{Seq: seq, Time: at(int(seq)), Kind: e.kind, Task: i})
	}
}

func TestStory(t *testing.T) {
	const (
		submit = fxtasks.EventSubmitted
		start  = fxtasks.EventStarted
		report = fxtasks.EventProgress
		cancel = fxtasks.EventCancelling
		finish = fxtasks.EventFinished
		retry  = fxtasks.EventRetrying
	)
	never := func(i *fxtasks.Info) {
		*i = fxtasks.Info{Seq: i.Seq, ID: i.ID, Status: fxtasks.Cancelled, FinishedAt: at(4)}
	}
	shared := func(i *fxtasks.Info) { i.ID = "x" }
	twice := func(i *fxtasks.Info) { i.MaxAttempts, i.NotBefore = 2, at(2) }
	byCaller := func(i *fxtasks.Info) { i.Metadata = Order{Run: true}.Metadata() }
	grouped := func(i *fxtasks.Info) { i.Group = "mail" }
	for _, c := range []struct {
		name   string
		events []told
		found  string // "": nothing
	}{
		{"a life", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: report, task: 1}, {kind: cancel, task: 1}, {kind: report, task: 1}, {kind: finish, task: 1}}, ""},
		{"a short life", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: finish, task: 1}}, ""},
		{"cancelled before it starts", []told{{kind: submit, task: 1}, {kind: finish, task: 1, info: never}}, ""},
		{"some were missed", []told{{kind: submit, task: 1}, {kind: finish, task: 1, seq: 5}, {kind: report, task: 2}}, ""},
		{"first of another group", []told{{kind: submit, task: 1}, {kind: submit, task: 2, info: grouped}, {kind: start, task: 2, info: grouped}}, ""},
		{"one that replaces waits", []told{{kind: submit, task: 1, info: shared}, {kind: start, task: 1, info: shared},
			{kind: submit, task: 2, info: shared}, {kind: submit, task: 3}, {kind: start, task: 3}}, ""},
		{"one before was cancelled", []told{{kind: submit, task: 1}, {kind: submit, task: 2}, {kind: finish, task: 1, info: never}, {kind: start, task: 2}}, ""},

		{"three attempts", []told{{kind: submit, task: 1}, {kind: start, task: 1, info: twice}, {kind: cancel, task: 1, info: twice}, {kind: retry, task: 1, info: twice},
			{kind: start, task: 1, info: twice}, {kind: cancel, task: 1, info: twice}, {kind: retry, task: 1, info: twice}, {kind: start, task: 1, info: twice}, {kind: finish, task: 1, info: twice}}, ""},
		{"cancelled between attempts", []told{{kind: submit, task: 1}, {kind: start, task: 1, info: twice}, {kind: retry, task: 1, info: twice}, {kind: finish, task: 1, info: twice}}, ""},
		{"an attempt was missed", []told{{kind: submit, task: 1}, {kind: start, task: 1, info: twice}, {kind: start, task: 1, info: twice, seq: 9}}, ""},
		{"another attempt comes in no turn", []told{{kind: submit, task: 1}, {kind: start, task: 1, info: twice}, {kind: retry, task: 1, info: twice},
			{kind: submit, task: 2}, {kind: start, task: 2}, {kind: submit, task: 3}, {kind: start, task: 1, info: twice}, {kind: start, task: 3}}, ""},
		{"run by its caller, out of turn", []told{{kind: submit, task: 1}, {kind: submit, task: 2, info: byCaller}, {kind: start, task: 2, info: byCaller},
			{kind: submit, task: 3}, {kind: start, task: 1}, {kind: start, task: 3}}, ""},

		{"another attempt without a failure", []told{{kind: submit, task: 1}, {kind: start, task: 1, info: twice}, {kind: start, task: 1, info: twice}}, "cannot come"},
		{"failed before it starts", []told{{kind: submit, task: 1}, {kind: retry, task: 1, info: twice}}, "cannot come"},
		{"retried after the end", []told{{kind: finish, task: 1, info: twice, seq: 7}, {kind: retry, task: 1, info: twice}}, "cannot come"},
		{"Info older than the failure", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: retry, task: 1}}, "newer than its Info"},
		{"a Seq again", []told{{kind: submit, task: 1}, {kind: start, task: 1, seq: 1}}, "comes where 2 or later is due"},
		{"starts without being submitted", []told{{kind: start, task: 1}}, "cannot come"},
		{"submitted twice", []told{{kind: submit, task: 1}, {kind: submit, task: 1}}, "cannot come"},
		{"starts twice", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: start, task: 1}}, "cannot come"},
		{"finishes twice", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: finish, task: 1}, {kind: finish, task: 1}}, "cannot come"},
		{"asked twice", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: cancel, task: 1}, {kind: cancel, task: 1}}, "cannot come"},
		{"progress after the end", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: finish, task: 1}, {kind: report, task: 1}}, "cannot come"},
		{"progress before the start", []told{{kind: submit, task: 1}, {kind: report, task: 1}}, "cannot come"},
		{"ran without starting", []told{{kind: submit, task: 1}, {kind: finish, task: 1}}, "cannot come"},
		{"goes back, though some were missed", []told{{kind: finish, task: 1, seq: 4}, {kind: start, task: 1}}, "cannot come"},
		{"no such kind", []told{{kind: submit, task: 1}, {kind: "sleeping", task: 1}}, "cannot come"},
		{"Info older than the start", []told{{kind: submit, task: 1}, {kind: start, task: 1, info: func(i *fxtasks.Info) { i.Status = fxtasks.Pending }}}, "newer than its Info"},
		{"Info older than the progress", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: report, task: 1, info: func(i *fxtasks.Info) { i.Progress.UpdatedAt = at(1) }}}, "newer than its Info"},
		{"Info older than the request", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: cancel, task: 1, info: func(i *fxtasks.Info) { i.CancelCause = nil }}}, "newer than its Info"},
		{"Info older than the end", []told{{kind: submit, task: 1}, {kind: start, task: 1}, {kind: finish, task: 1, info: func(i *fxtasks.Info) { i.Status = fxtasks.Running }}}, "newer than its Info"},
		{"out of turn", []told{{kind: submit, task: 1}, {kind: submit, task: 2}, {kind: start, task: 2}}, "started before task 1"},
		{"does not wait", []told{{kind: submit, task: 1, info: shared}, {kind: start, task: 1, info: shared},
			{kind: submit, task: 2, info: shared}, {kind: start, task: 2, info: shared}}, "the same ID has finished"},
		{"need not wait any more", []told{{kind: submit, task: 1, info: shared}, {kind: start, task: 1, info: shared},
			{kind: submit, task: 2, info: shared}, {kind: submit, task: 3}, {kind: finish, task: 1, info: shared}, {kind: start, task: 3}}, "started before task 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Story{Findings: new(Findings)}
			tellStory(s, c.events)
			expect(t, s.Findings, c.found)
		})
	}
}

// expect wants f to have found what contains the text, or nothing.
func expect(t *testing.T, f *Findings, found string) {
	t.Helper()
	list := f.List()
	if text := strings.Join(list, "\n"); found == "" && len(list) > 0 || !strings.Contains(text, found) {
		t.Errorf("found %q, want %q", text, found)
	}
}

// A story that begins with a list of what is active is held to it.
func TestStorySeed(t *testing.T) {
	active := []fxtasks.Info{{Seq: 6, ID: "6", Status: fxtasks.Running, StartedAt: at(1)}, {Seq: 5, ID: "5"}, {Seq: 4, ID: "4"}}
	for _, c := range []struct {
		name  string
		event told
		found string
	}{
		{"pending, in turn", told{kind: fxtasks.EventStarted, task: 4}, ""},
		{"running", told{kind: fxtasks.EventFinished, task: 6}, ""},
		{"new", told{kind: fxtasks.EventSubmitted, task: 7}, ""},
		{"pending, out of turn", told{kind: fxtasks.EventStarted, task: 5}, "started before task 4"},
		{"listed and then submitted", told{kind: fxtasks.EventSubmitted, task: 4}, "cannot come"},
		{"running and then started", told{kind: fxtasks.EventStarted, task: 6}, "cannot come"},
		{"active and not listed", told{kind: fxtasks.EventFinished, task: 3}, "cannot come"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Story{Findings: new(Findings), After: 30}
			s.Seed(active)
			tellStory(s, []told{c.event})
			expect(t, s.Findings, c.found)
		})
	}
}

func TestStoryEnd(t *testing.T) {
	life := []told{{kind: fxtasks.EventSubmitted, task: 1}, {kind: fxtasks.EventStarted, task: 1}, {kind: fxtasks.EventFinished, task: 1}}
	h := &History{Accounts: good().Accounts[:1]}
	for _, c := range []struct {
		name   string
		events []told
		missed uint64
		found  string
	}{
		{"all of it", life, 0, ""},
		{"no end", life[:2], 0, "events tell of it"},
		{"nothing", nil, 0, "events tell of it"},
		{"another task too", append(life[:3:3], told{kind: fxtasks.EventSubmitted, task: 2}), 0, "events tell of 2 tasks, want 1"},
		{"missed, and no gap", life, 4, "Missed says 4 in the end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Story{Findings: new(Findings)}
			tellStory(s, c.events)
			s.End(c.missed, s.last, h)
			expect(t, s.Findings, c.found)
		})
	}
}
