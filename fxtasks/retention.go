package fxtasks

import "time"

// Cleanup forgets the records of all tasks that have finished by now, and returns their number. Handles on
// the tasks stay valid.
func (m *Manager) Cleanup() (n int) {
	r := m.reg
	last := uint64(Latest)
	r.inSteps(func(cs *section) bool {
		last = min(last, r.ends)
		for i := 0; i < batch; i++ {
			number, t, ok := r.ended.First()
			if !ok || number > last {
				return false
			}
			r.ended.PopFirst()
			cs.forget(t)
			n++
		}
		return true
	})
	return n
}

// retainFinished returns how many records of finished tasks are kept.
func (r *registry) retainFinished() int {
	if r.cfg.RetainFor < 0 {
		return 0
	}
	return max(r.cfg.RetainFinished, 0)
}

// expiresAt returns when the record of a finished task is forgotten at the latest.
func (r *registry) expiresAt(t *Task) time.Time {
	return t.at(t.finishedAt).Add(max(r.cfg.RetainFor, 0))
}

// forget drops the record of a finished task, which its caller has taken out of registry.ended.
func (cs *section) forget(t *Task) {
	r := cs.r
	r.records.Remove(t.seq)
	if t.opts.result != nil {
		t.opts.result = nil // an event may keep the task in memory
	}
	for _, of := range r.countersOf(t) {
		*of.forgotten.ended(t.status)++
	}
	r.index.remove(t)
	cs.noteIDChange(t)
}

// limitFinished forgets the oldest finished tasks beyond Config.RetainFinished.
func (cs *section) limitFinished() {
	for cs.r.ended.Len() > cs.r.retainFinished() {
		_, t, _ := cs.r.ended.PopFirst()
		cs.forget(t)
	}
	cs.setExpiryTimer()
}

// prune forgets finished tasks that are too old, a batch at most, and reports whether there are more. Their
// events go, too: else the ring of events would keep records of a quiet manager for ever.
func (cs *section) prune() (more bool) {
	r, n := cs.r, 0
	for {
		_, t, ok := r.ended.First()
		if !ok || cs.now().Before(r.expiresAt(t)) {
			cs.setExpiryTimer()
			break
		}
		if n == batch {
			more = true
			break
		}
		t.expired = true
		r.ended.PopFirst()
		cs.forget(t)
		n++
	}
	if n > 0 {
		r.events.Drop(func(e event) bool { return e.task.expired })
	}
	return more
}

// find returns the known task that has the ID, unless it is too old to be known.
func (r *registry) find(id string) *Task {
	t := r.index.find(id)
	if t != nil && t.status.Finished() && !time.Now().Before(r.expiresAt(t)) {
		return nil
	}
	return t
}

// setExpiryTimer sets the timer that forgets the oldest record when it expires, unless it is set.
func (cs *section) setExpiryTimer() {
	r := cs.r
	if r.expiry != nil || r.all.state == Stopped {
		return
	}
	if _, t, ok := r.ended.First(); ok {
		r.expiry = time.AfterFunc(r.expiresAt(t).Sub(cs.now()), r.expire)
	}
}

func (r *registry) expire() {
	r.inSteps(func(cs *section) bool {
		r.expiry = nil
		return cs.prune()
	})
}
