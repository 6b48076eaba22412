package fxtasks

// taskQueue is a first-in-first-out list, linked through the tasks themselves.
type taskQueue struct{ first, last *Task }

func (q *taskQueue) push(t *Task) {
	if q.first == nil {
		q.first = t
	} else {
		q.last.next = t
	}
	q.last = t
}

// append appends the list from first to last.
func (q *taskQueue) append(first, last *Task) {
	if q.first == nil {
		q.first = first
	} else {
		q.last.next = first
	}
	q.last = last
}

func (q *taskQueue) pop() *Task {
	t := q.first
	if t != nil {
		q.first, t.next = t.next, nil
		if q.first == nil {
			q.last = nil // the registry's backlog would keep the record of t
		}
	}
	return t
}
