package fxtasks

import "time"

// Cleanup forgets the records of all finished tasks now, and gives how many those were. Handles
// on the tasks stay valid.
func (m *Manager) Cleanup() int {
	r := m.reg
	r.lock()
	defer r.mu.Unlock()
	n := r.finished.len
	for r.finished.first != nil {
		r.forgetLocked(r.finished.first)
	}
	return n
}

func (r *registry) retainFinished() int {
	if r.cfg.RetainFor < 0 {
		return 0
	}
	return max(r.cfg.RetainFinished, 0)
}

func (r *registry) expiresAt(t *Task) time.Time {
	return t.at(t.finished).Add(max(r.cfg.RetainFor, 0))
}

// forgetLocked drops the record of a finished task.
func (r *registry) forgetLocked(t *Task) {
	r.finished.remove(t)
	if t.newer == nil {
		r.newest = t.older
	} else {
		t.newer.older = t.older
	}
	if t.older != nil {
		t.older.newer = t.newer
	}
	t.newer, t.older = nil, nil
	if t.opts.result != nil {
		t.opts.result = nil
	}
	for _, of := range r.talliesLocked(t) {
		*of.forgotten.ended(t.status)++
	}
	r.ids.remove(t)
}

// boundLocked forgets the finished tasks that are too many.
func (r *registry) boundLocked(now time.Time) {
	for r.finished.len > r.retainFinished() {
		r.forgetLocked(r.finished.first)
	}
	r.watchAgeLocked(now)
}

// pruneLocked forgets the finished tasks that are too old. Whoever looks at records calls it first,
// so that none is seen too late; the timer is for when nobody looks.
func (r *registry) pruneLocked(now time.Time) {
	for t := r.finished.first; t != nil && !now.Before(r.expiresAt(t)); t = r.finished.first {
		r.forgetLocked(t)
	}
	r.watchAgeLocked(now)
}

func (r *registry) watchAgeLocked(now time.Time) {
	if r.finished.first != nil && r.expiry == nil && r.all.state != Stopped {
		r.expiry = time.AfterFunc(r.expiresAt(r.finished.first).Sub(now), r.expire)
	}
}

func (r *registry) expire() {
	now := time.Now()
	r.lock()
	defer r.mu.Unlock()
	r.expiry = nil
	r.pruneLocked(r.tickLocked(now))
}
