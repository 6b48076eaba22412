package checks

import "time"

// Back is how a Run came back to its caller.
type Back struct {
	How      How // "": it has not
	Returned error
	Panicked any
}

// Calls makes a call of Run, and notes how it comes back. It may end its goroutine.
func (e *Entry) Calls(run func() error) {
	back := Back{How: Exited}
	defer func() {
		if v := recover(); v != nil {
			back.How, back.Panicked = Panicked, v
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		a := &e.account
		if a.Back = back; a.Attempt == 0 {
			a.Answered, a.Refusal = time.Now(), back.Returned
		}
	}()
	back.Returned = run()
	back.How = Returned
}

// checkRun wants a Run to have come back as its function ended.
func checkRun(f *Findings, a *Account) {
	var right bool
	switch b := &a.Back; {
	case !a.Run:
		return
	case b.How != a.How:
	case b.How == Panicked:
		right = isPanicValue(b.Panicked, a.Panicked)
	default:
		right = Same(b.Returned, a.Returned)
	}
	if !right {
		a.complain(f, "Run came back: %q with %s, %v; its function %s %s, %v", a.Back.How, show(a.Back.Returned), a.Back.Panicked,
			a.How, show(a.Returned), a.Panicked)
	}
}

// Unrecorded wants what was run by Run to have left no record. known says whether the manager knows an ID.
func (h *History) Unrecorded(f *Findings, known func(id string) bool) {
	for _, a := range h.accepted() {
		if a.Run && a.ID == "" && known(a.Info.ID) {
			a.complain(f, "it was run by its caller, and its record is kept")
		}
	}
}
