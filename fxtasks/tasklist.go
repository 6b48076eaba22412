package fxtasks

// taskList is a first-in-first-out list threaded through the tasks themselves, so that taking one
// out of the middle costs nothing. A task is in one list at a time: it is queued, or about to be
// started, or waits for its slot again, or has finished.
type taskList struct {
	first, last *Task
	len         int
}

func (l *taskList) pushBack(t *Task) { l.insertAfter(l.last, t) }

// insertBySeq keeps a list that is in order of submission so. It looks from the back, where a
// task that has just been submitted belongs.
func (l *taskList) insertBySeq(t *Task) {
	at := l.last
	for at != nil && at.seq > t.seq {
		at = at.prev
	}
	l.insertAfter(at, t)
}

// insertAfter puts t behind at, or first when at is nil.
func (l *taskList) insertAfter(at, t *Task) {
	t.prev = at
	if at == nil {
		t.next, l.first = l.first, t
	} else {
		t.next, at.next = at.next, t
	}
	if t.next == nil {
		l.last = t
	} else {
		t.next.prev = t
	}
	l.len++
}

func (l *taskList) remove(t *Task) {
	if t.prev == nil {
		l.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.next, t.prev = nil, nil
	l.len--
}

// popFront takes out the first task, or gives nil.
func (l *taskList) popFront() *Task {
	t := l.first
	if t != nil {
		l.remove(t)
	}
	return t
}
