package checks

import (
	"errors"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background/fxtasks"
)

// Lines is a zapcore.Core that takes all lines, checks what each has, and counts them. Lines that it
// gives by With count with it.
type Lines struct {
	book *lineBook
	with []zapcore.Field
}

type lineBook struct {
	findings *Findings

	mu                     sync.Mutex // protects what follows
	counts                 lineCounts
	rejectsTold, skipsTold time.Time
}

// lineCounts is how many lines of a kind there were. Kinds are told apart by level and fields,
// which are promised, not by messages.
type lineCounts struct {
	submitted, retries, quietEnds, warnEnds, errorEnds, panics, stuck uint64
	infos, errors                                                     int // about no task
	rejected, skipped                                                 bool
}

// limitedEvery is how far apart two lines about rejects are at least, or two about runs that were skipped, less what may
// go by before one is written.
const limitedEvery = 4 * time.Second

// GroupMark separates the kind of work from the group in the name of a task that has one.
const GroupMark = "@"

// NewLines makes one that has counted nothing.
func NewLines(f *Findings) *Lines { return &Lines{book: &lineBook{findings: f}} }

// Enabled implements zapcore.Core.
func (*Lines) Enabled(zapcore.Level) bool { return true }

// With implements zapcore.Core.
func (l *Lines) With(fields []zapcore.Field) zapcore.Core {
	return &Lines{book: l.book, with: append(l.with[:len(l.with):len(l.with)], fields...)}
}

// Check implements zapcore.Core.
func (l *Lines) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return c.AddCore(e, l)
}

// Sync implements zapcore.Core.
func (*Lines) Sync() error { return nil }

// Write implements zapcore.Core.
func (l *Lines) Write(e zapcore.Entry, fields []zapcore.Field) error {
	has := make(map[string]bool)
	var name, group string
	for _, list := range [...][]zapcore.Field{l.with, fields} {
		for _, field := range list {
			has[field.Key] = field.String != "" || field.Type != zapcore.StringType
			switch field.Key {
			case "task_name":
				name = field.String
			case "group":
				group = field.String
			case "not_logged": // stuck tasks that there was no time for
				l.book.add(func(c *lineCounts) { c.stuck += uint64(field.Integer) })
			case "by_name": // pending tasks that a shutdown cancelled: they have no lines of their own
				l.book.add(func(c *lineCounts) { c.quietEnds += sum(field) })
			}
		}
	}
	about := has["task_id"] && has["task_name"]
	skips := !about && has["task_name"] && has["count"] // of a schedule
	if _, want, _ := strings.Cut(name, GroupMark); (about || skips) && group != want {
		l.book.findings.Addf("log: %s %q of task %q has the group %q, want %q", e.Level, e.Message, name, group, want)
	}
	if !about && !skips && !has["by_name"] && !strings.HasPrefix(e.Message, "shutdown") {
		l.book.findings.Addf("log: %s %q has the fields %v, want task_id and task_name", e.Level, e.Message, has)
	}
	l.book.count(e, about, has)
	return nil
}

func (b *lineBook) add(change func(*lineCounts)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.counts)
}

// sum adds up the counts in a field.
func sum(field zapcore.Field) (total uint64) {
	all := zapcore.NewMapObjectEncoder()
	field.AddTo(all)
	counts, _ := all.Fields[field.Key].(map[string]any)
	for _, n := range counts {
		total += uint64(n.(int))
	}
	return total
}

func (b *lineBook) count(e zapcore.Entry, about bool, has map[string]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, level := &b.counts, e.Level
	switch ended := has["duration"]; {
	case has["by_name"]:
	case level == zapcore.WarnLevel && ended && has["delay"]:
		c.retries++
		if has["stack"] {
			c.panics++
		}
	case !about && level == zapcore.InfoLevel:
		c.infos++
	case !about && level == zapcore.ErrorLevel:
		c.errors++
	case level == zapcore.DebugLevel && !ended:
		c.submitted++
	case level == zapcore.DebugLevel, about && level == zapcore.InfoLevel && ended: // at info: cut off by a shutdown
		c.quietEnds++
	case level == zapcore.WarnLevel && ended:
		c.warnEnds++
	case level == zapcore.WarnLevel && has["stack"]:
		c.stuck++
	case level == zapcore.WarnLevel && has["count"]:
		last := &b.skipsTold
		if about {
			last = &b.rejectsTold
		}
		c.rejected, c.skipped = c.rejected || about, c.skipped || !about
		if since := e.Time.Sub(*last); since < limitedEvery {
			b.findings.Addf("log: %q comes %v after the one before", e.Message, since)
		}
		*last = e.Time
	case level == zapcore.ErrorLevel && ended:
		c.errorEnds++
		if has["stack"] {
			c.panics++
		}
	}
}

// End wants as many lines of each kind as there was to tell. A line may have announced another attempt to
// which a shutdown or a cancel did not let it come.
func (l *Lines) End(s fxtasks.Stats, h *History) {
	want := lineCounts{submitted: s.Submitted, retries: s.Retried, quietEnds: s.Completed + s.Cancelled, warnEnds: s.TimedOut, errorEnds: s.Failed}
	inVain := uint64(0)
	for i := range h.Accounts {
		a := &h.Accounts[i]
		for _, d := range a.deeds() {
			if d.How == Panicked {
				want.panics++
			}
		}
		if a.broke() && a.How != Panicked { // the line of its end has the stack of that
			want.panics++
		}
		if a.cutShort() {
			inVain++
		}
		want.rejected = want.rejected || errors.Is(a.Refusal, fxtasks.ErrQueueFull)
	}
	for i := range h.Schedules {
		want.skipped = want.skipped || h.Schedules[i].Info.Skipped > 0
	}
	for i := range h.Shutdowns {
		switch s := &h.Shutdowns[i]; {
		case !s.first():
		case s.Report.Remaining == 0:
			want.infos += 2
		default:
			want.infos++
			want.errors++
			want.stuck += uint64(len(s.Report.Stuck))
		}
	}
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	if told := l.book.counts.retries; told > want.retries && told <= want.retries+inVain {
		want.retries = told
	}
	if l.book.counts != want {
		l.book.findings.Addf("log: lines are %+v, want %+v", l.book.counts, want)
	}
}
