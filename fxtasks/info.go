package fxtasks

import (
	"maps"
	"time"
)

// Info is what is known about a task at one moment. It is a copy: it never changes under the
// reader, who may keep and change it. It is not made to be encoded: show a type of your own.
type Info struct {
	Seq               uint64 // submission number, unique in its manager
	ID, Name, Group   string // Group is "" for a task of no group
	Status            Status
	Err               error // what Task.Err returns
	Metadata          map[string]string
	Progress          Progress
	CreatedAt         time.Time
	StartedAt         time.Time     // zero until it runs
	FinishedAt        time.Time     // zero until it has ended
	ExpiresAt         time.Time     // when the record is forgotten at the latest; zero until it has ended
	Timeout           time.Duration // 0: none
	CancelRequestedAt time.Time     // zero: not asked. Asked is not ended: Status stays Running until fn returns
	CancelCause       error         // nil: not asked; ErrTimeout after a timeout
	Attempt           int           // of the attempt that runs or ran last, from 1; 0 before the first
	MaxAttempts       int           // 1 without WithRetry
	NotBefore         time.Time     // when the latest attempt was or is due, by WithDelay or Retry.Delay; zero: when it was submitted
	LastErr           error         // of the latest attempt that another one followed or is to follow; nil: none, or the task completed
	ErrText           string        // the text of Err, or of LastErr, made once, when the attempt ended
}

// Progress is how far a task is, in its own unit.
type Progress struct {
	Current, Total int64 // Total 0: unknown
	Unit, Message  string
	UpdatedAt      time.Time // when it was reported; zero: never
}

// Info returns all that is known about the task now.
func (t *Task) Info() (info Info) {
	cs := t.group.m.reg.enter()
	info.fill(t)
	cs.leave()
	info.complete(t)
	return info
}

// fill sets all but the ID, and shares the metadata with the record. It is called in a section, and the caller
// has to call complete after it. To return an Info would copy it: that took a sixth of the time of a List.
func (info *Info) fill(t *Task) {
	*info = Info{
		Seq:         t.seq,
		Name:        t.name,
		Group:       t.group.name,
		Status:      t.status,
		Err:         t.err(),
		ErrText:     t.errText(),
		Metadata:    t.opts.metadata,
		CreatedAt:   t.created,
		StartedAt:   t.at(t.startedAt),
		FinishedAt:  t.at(t.finishedAt),
		Timeout:     t.opts.timeout,
		MaxAttempts: 1,
	}
	switch a := t.attempts; {
	case a != nil:
		info.Attempt, info.MaxAttempts, info.NotBefore = a.number, max(1, a.retry.MaxAttempts), a.notBefore
		if a.last != nil {
			info.LastErr = a.last.err
		}
	case t.startedAt != 0:
		info.Attempt = 1
	}
	if t.reported != nil {
		info.Progress = *t.reported
	}
	if t.request != nil {
		info.CancelRequestedAt, info.CancelCause = t.at(t.requestedAt), t.request.cause
	}
	if t.status.Finished() {
		info.ExpiresAt = t.group.m.reg.expiresAt(t)
	}
}

// complete sets the ID and copies the metadata. Neither changes, so this needs no section. In sections as
// little as possible is allocated.
func (info *Info) complete(t *Task) {
	info.ID = t.ID()
	info.Metadata = maps.Clone(info.Metadata)
}
