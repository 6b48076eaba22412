package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

const (
	retryMillis   = 2000
	pingEvery     = 15 * time.Second
	statsEvery    = time.Second
	progressEvery = time.Second / 4 // per task
)

// serveEvents answers GET /events.
func (a *API) serveEvents(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayWatch(w, r) {
		return
	}
	if !canFlush(w) {
		a.guard("Config.Logger", func() {
			a.cfg.Logger.Warn("no event stream can be served: some middleware keeps responses back until they are complete, "+
				"as those do that limit their time", zap.String("path", requestPath(r)), zap.String("writer", fmt.Sprintf("%T", w)))
		})
		newProblem(http.StatusInternalServerError, "the server cannot send events: some middleware keeps responses back until they are complete").write(w)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := newStream(w, cancel)
	if !a.streams.add(s) {
		p := newProblem(http.StatusServiceUnavailable, "no more event streams are served now")
		p.retryAfter = retryAfter
		p.write(w)
		return
	}
	defer a.streams.remove(s)

	f := &feed{api: a, r: r, mount: mount(r), stream: s, held: make(map[uint64]fxtasks.Info), sent: make(map[uint64]fxtasks.Progress)}
	f.begin(r.Header.Get("Last-Event-ID")) // before the headers: what happens after them is on the stream
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	f.run(ctx)
}

// feed turns the manager's events into one client's server-sent events.
type feed struct {
	api    *API
	r      *http.Request
	mount  string
	stream *stream
	buf    bytes.Buffer // what the next write sends

	events *fxtasks.Subscription
	seq    uint64 // of the event read last
	missed uint64 // of events.Missed, as told to the client
	stats  []byte // as sent last

	// By Info.Seq of tasks that have not ended: progress that is held back, and what was sent last.
	// All that is held is sent once in progressEvery: a clock for each task would have to be looked
	// at for each event.
	held map[uint64]fxtasks.Info
	sent map[uint64]fxtasks.Progress

	nextProgress, nextStats, nextPing time.Time
}

// begin finds the place to go on from, and tells the client if that is not where it has left off.
func (f *feed) begin(lastEventID string) {
	fmt.Fprintf(&f.buf, "retry: %d\n\n", retryMillis)
	f.seq = f.api.m.List(fxtasks.Filter{Limit: 1}).Seq
	if lastEventID != "" {
		if seq, ok := f.api.parseEventID(lastEventID); ok && seq <= f.seq {
			f.seq = seq
			f.holdAllProgress()
		} else {
			f.reset()
		}
	}
	f.events = f.api.m.Subscribe(f.seq)
}

// holdAllProgress is for a client that was cut off: a report may have been held back just then.
func (f *feed) holdAllProgress() {
	filter := fxtasks.Filter{Limit: maxPageSize, Statuses: []fxtasks.Status{fxtasks.Running}}
	for {
		page := f.api.m.List(filter)
		for _, task := range page.Tasks {
			f.holdProgress(task)
		}
		if filter.After = page.Next; filter.After == "" {
			return
		}
	}
}

// reset tells the client to fetch again what it shows: events are missing.
func (f *feed) reset() {
	f.send("reset", f.api.eventID(f.seq), struct{}{})
}

// run sends until ctx ends or the client has gone.
func (f *feed) run(ctx context.Context) {
	f.nextPing = time.Now().Add(pingEvery)
	f.tick(time.Now())
	for f.flush() == nil && ctx.Err() == nil {
		if e, err := f.next(ctx); err == nil {
			f.event(e)
		}
		if now := time.Now(); !now.Before(f.nextStats) && !f.api.allows(f.r, ActionView, nil) {
			return // the caller has logged out, say
		}
		f.tick(time.Now())
	}
}

// next waits for an event, but not past the time when something else is due.
func (f *feed) next(ctx context.Context) (fxtasks.Event, error) {
	due := f.nextStats // every second, so it bounds the rest
	if len(f.held) > 0 && f.nextProgress.Before(due) {
		due = f.nextProgress
	}
	ctx, cancel := context.WithDeadline(ctx, due)
	defer cancel()
	e, err := f.events.Next(ctx)
	if errors.Is(err, io.EOF) { // the manager has stopped; tasks that would not stop may still end
		<-ctx.Done()
	}
	return e, err
}

// tick sends what is due by the clock.
func (f *feed) tick(now time.Time) {
	if len(f.held) > 0 && !now.Before(f.nextProgress) {
		f.nextProgress = now.Add(progressEvery)
		for _, task := range f.held {
			f.sendProgress(task)
		}
		clear(f.held)
	}
	if !now.Before(f.nextStats) {
		f.nextStats = now.Add(statsEvery)
		if stats, err := json.Marshal(f.api.newStatsBody(f.api.m.Stats())); err == nil && !bytes.Equal(stats, f.stats) {
			f.stats = stats
			f.send("stats", "", json.RawMessage(stats))
		}
	}
	if !now.Before(f.nextPing) {
		f.nextPing = now.Add(pingEvery)
		f.send("ping", "", struct{}{}) // no comment line, since a page cannot see those
	}
}

// event passes on what has happened.
func (f *feed) event(e fxtasks.Event) {
	if missed := f.events.Missed(); missed > f.missed {
		f.missed, f.seq = missed, e.Seq-1
		clear(f.held) // the client fetches it all again
		clear(f.sent) // and the ends of some tasks will never be read
		f.reset()
	}
	f.seq = e.Seq
	if e.Task.Status.Finished() {
		delete(f.held, e.Task.Seq) // its last report goes with the task
		delete(f.sent, e.Task.Seq)
		if e.Kind != fxtasks.EventFinished { // of an event read late: the end is told once, when its own comes
			return
		}
	}
	if e.Kind == fxtasks.EventProgress {
		f.holdProgress(e.Task)
	} else if f.api.allows(f.r, ActionView, &e.Task) {
		f.send("task", f.api.eventID(e.Seq), f.api.listedTask(f.mount, &e.Task))
	}
}

// holdProgress keeps the task's progress until the next tick, unless the task has ended or
// reported none.
func (f *feed) holdProgress(task fxtasks.Info) {
	if !task.Status.Finished() && !task.Progress.UpdatedAt.IsZero() && f.api.allows(f.r, ActionView, &task) {
		f.held[task.Seq] = task
	}
}

func (f *feed) sendProgress(task fxtasks.Info) {
	if f.sent[task.Seq] == task.Progress { // read again: events tell of a task as it is when they are read
		return
	}
	f.sent[task.Seq] = task.Progress
	progress := newProgressBody(task.Progress)
	progress.Message = cutText(progress.Message)
	f.send("progress", f.api.eventID(f.seq), struct {
		ID       string       `json:"id"`
		Progress progressBody `json:"progress"`
	}{task.ID, progress})
}

// send puts an event into the buffer. JSON has no line breaks, so it is one data line.
func (f *feed) send(event, id string, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		return
	}
	if id != "" {
		fmt.Fprintf(&f.buf, "id: %s\n", id)
	}
	fmt.Fprintf(&f.buf, "event: %s\ndata: %s\n\n", event, data)
}

func (f *feed) flush() error {
	if f.buf.Len() == 0 {
		return nil
	}
	defer f.buf.Reset()
	return f.stream.write(f.buf.Bytes())
}

func (a *API) eventID(seq uint64) string { return a.boot + "-" + strconv.FormatUint(seq, 10) }

// parseEventID reads an id that eventID has made since the process started.
func (a *API) parseEventID(id string) (seq uint64, ok bool) {
	digits, _ := strings.CutPrefix(id, a.boot+"-")
	seq, err := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil && id == a.eventID(seq)
}
