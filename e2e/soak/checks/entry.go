package checks

import (
	"context"
	"sync"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Entry is the account of one Submit while it goes on.
type Entry struct {
	Order // never changes

	findings *Findings

	mu      sync.Mutex // protects what follows
	account Account    // less Order and Info
	task    *fxtasks.Task
}

// Answer notes what Submit gave, and the error of its ctx by then.
func (e *Entry) Answer(task *fxtasks.Task, err, ctxErr error) {
	joined := false
	switch {
	case (task == nil) == (err == nil):
		e.findings.Addf("submit %d gave %v and %v, want either a task or an error", e.N, task, err)
	case err == nil && !e.Bare:
		info := task.Info()
		joined = OrderOf(info) != e.N
		if joined && (e.Policy != fxtasks.Join || e.ID == "" || info.ID != e.ID) {
			e.findings.Addf("submit %d (ID %q %v) gave the task of another: %s", e.N, e.ID, e.Policy, brief(info))
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.task = task
	e.account.Answered = time.Now()
	e.account.Refusal, e.account.CtxErr, e.account.Joined = err, ctxErr, joined
}

// Task gives what Submit gave: nil before that, and when it was an error.
func (e *Entry) Task() *fxtasks.Task {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.task
}

// Refusal gives the error that Submit gave.
func (e *Entry) Refusal() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.account.Refusal
}

// Begins notes that the function was called with ctx, and gives the number of the attempt.
func (e *Entry) Begins(ctx context.Context) (attempt int) {
	self, ok := fxtasks.FromContext(ctx)
	switch {
	case !ok:
		e.findings.Addf("submit %d: its function is called, and FromContext gives no task", e.N)
	case !e.Bare || e.Scheduled:
		e.checkBegun(self.Info())
	}
	if end, ok := ctx.Deadline(); ok && e.Timeout == 0 {
		e.findings.Addf("submit %d: the context has the deadline %v, want none", e.N, end)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a := &e.account
	if a.Attempt > 0 {
		a.Earlier = append(a.Earlier, a.Deed)
	}
	if e.task == nil && (e.Run || e.Scheduled) {
		e.task, a.Answered = self, time.Now()
	}
	a.Deed = Deed{Attempt: a.Attempt + 1, Ctx: ctx, Began: time.Now(), How: Unended}
	return a.Attempt
}

// Returns notes that the function returns err, and gives err.
func (e *Entry) Returns(err error) error {
	e.ends(Returned, err, nil)
	return err
}

// Panics notes that the function panics with v, and gives v.
func (e *Entry) Panics(v any) any {
	e.ends(Panicked, nil, v)
	return v
}

// Exits notes that the function calls runtime.Goexit.
func (e *Entry) Exits() { e.ends(Exited, nil, nil) }

func (e *Entry) ends(how How, returned error, panicked any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := &e.account
	a.Ended, a.How, a.Returned, a.Panicked = time.Now(), how, returned, panicked
	if a.Ctx.Err() != nil {
		a.Saw = context.Cause(a.Ctx)
	}
}

// Ended says whether the function has come to its end.
func (e *Entry) Ended() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.account.Ended.IsZero()
}

// Hangs notes that the function heeds nothing from now on, and what its stack shows meanwhile.
func (e *Entry) Hangs(shows ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.account.Hung, e.account.Shows = time.Now(), shows
}

// Hung says whether the function heeds nothing.
func (e *Entry) Hung() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.account.Hung.IsZero() && e.account.LetGo.IsZero()
}

// GoesOn notes when the function was let go.
func (e *Entry) GoesOn(letGo time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.account.LetGo = letGo
}

// close gives the account with the task as it is now.
func (e *Entry) close() Account {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.account
	a.Order = e.Order
	if e.task != nil {
		a.Info = e.task.Info()
	}
	return a
}
