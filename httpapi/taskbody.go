package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// taskBody is a task as it leaves.
type taskBody struct {
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	Group          string            `json:"group,omitempty"`
	Status         string            `json:"status"`
	Done           bool              `json:"done"`
	Error          *errorBody        `json:"error,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty"`
	Progress       *progressBody     `json:"progress,omitempty"`
	CreatedAt      timestamp         `json:"created_at"`
	StartedAt      timestamp         `json:"started_at,omitempty"`
	FinishedAt     timestamp         `json:"finished_at,omitempty"`
	ExpiresAt      timestamp         `json:"expires_at,omitempty"`
	DeadlineAt     timestamp         `json:"deadline_at,omitempty"`
	Attempt        int               `json:"attempt"`
	MaxAttempts    int               `json:"max_attempts"`
	NotBefore      timestamp         `json:"not_before,omitempty"`
	LastError      *errorBody        `json:"last_error,omitempty"` // without a stack
	Result         json.RawMessage   `json:"result,omitempty"`
	WaitSeconds    *float64          `json:"wait_seconds,omitempty"` // like RunSeconds there only once it
	RunSeconds     *float64          `json:"run_seconds,omitempty"`  // no longer changes, for the ETag's sake
	TimeoutSeconds float64           `json:"timeout_seconds,omitempty"`
	Cancel         *cancelBody       `json:"cancel,omitempty"`
	Links          linksBody         `json:"links"`
}

type errorBody struct {
	Type    string `json:"type"` // "error", "panic", "goexit", "timeout", "cancelled", "shutdown"
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"`
}

type progressBody struct {
	Current   int64     `json:"current"`
	Total     int64     `json:"total"`
	Percent   *float64  `json:"percent"` // null when the total is unknown
	Unit      string    `json:"unit,omitempty"`
	Message   string    `json:"message,omitempty"`
	UpdatedAt timestamp `json:"updated_at"`
}

type cancelBody struct {
	RequestedAt timestamp `json:"requested_at"`
	Reason      string    `json:"reason"`
	By          string    `json:"by,omitempty"`
}

type linksBody struct {
	Self string `json:"self"`
	More []Link `json:"more,omitempty"`
}

// timestamp is a time in UTC, RFC 3339 with nanoseconds; "" for none. As a json.Marshaler it would
// take three times as long, which a handler that starts a task would notice.
type timestamp string

func newTimestamp(t time.Time) timestamp {
	if t.IsZero() {
		return ""
	}
	return timestamp(t.UTC().Format(time.RFC3339Nano))
}

// taskBody renders a task for the caller of r.
func (a *API) taskBody(r *http.Request, mount string, task *fxtasks.Task, info *fxtasks.Info) taskBody {
	body := a.newTaskBody(mount+"/tasks/", info, a.textsOf(info))
	a.addStack(r, body.Error, info)
	if value, ok := task.Result(); ok && body.Done && a.allows(r, ActionViewResult, info) {
		body.Result = a.encodeResult(value)
	}
	return body
}

// maxResult is how many bytes of JSON a result may have to be shown.
const maxResult = 64 << 10

// encodeResult gives a task's result as JSON; nil if there is no such form or if it is too long.
func (a *API) encodeResult(value any) (data json.RawMessage) {
	a.guard("MarshalJSON of a result", func() {
		if encoded, err := json.Marshal(value); err == nil && len(encoded) <= maxResult {
			data = encoded
		}
	})
	return data
}

// listedTask renders a task as one of many, in a list or an event: without what can be large.
func (a *API) listedTask(mount string, info *fxtasks.Info) taskBody {
	return a.newTaskBody(mount+"/tasks/", info, a.textsOf(info)).cut()
}

// newTaskBody renders what is the same of tasks and jobs, alone and in lists.
func (a *API) newTaskBody(folder string, info *fxtasks.Info, texts texts) taskBody {
	body := taskBody{
		ID:             info.ID,
		Name:           info.Name,
		Group:          info.Group,
		Status:         info.Status.String(),
		Done:           info.Status.Finished(),
		Error:          newErrorBody(info),
		LastError:      newLastErrorBody(info, texts),
		Metadata:       a.shownMetadata(info.Metadata),
		CreatedAt:      newTimestamp(info.CreatedAt),
		StartedAt:      newTimestamp(info.StartedAt),
		FinishedAt:     newTimestamp(info.FinishedAt),
		ExpiresAt:      newTimestamp(info.ExpiresAt),
		Attempt:        info.Attempt,
		MaxAttempts:    info.MaxAttempts,
		NotBefore:      newTimestamp(info.NotBefore),
		TimeoutSeconds: info.Timeout.Seconds(),
		Links:          linksBody{Self: folder + url.PathEscape(info.ID), More: a.links(*info)},
	}
	if !info.Progress.UpdatedAt.IsZero() {
		progress := newProgressBody(info.Progress)
		body.Progress = &progress
	}
	if !info.CancelRequestedAt.IsZero() {
		body.Cancel = &cancelBody{RequestedAt: newTimestamp(info.CancelRequestedAt), Reason: texts.cancelCause}
		if c, ok := info.CancelCause.(*cancellation); ok {
			body.Cancel.By = c.by
		}
	}
	addDurations(&body, info)
	return body
}

// addDurations adds how long the latest attempt waited and ran, so far as that is over: an answer
// that changes with the clock would never be a 304.
func addDurations(body *taskBody, info *fxtasks.Info) {
	due := info.CreatedAt
	if !info.NotBefore.IsZero() {
		due = info.NotBefore
	}
	started := !info.StartedAt.IsZero() && !info.StartedAt.Before(due) // else it is the attempt before that did
	switch {
	case info.Status == fxtasks.Pending:
	case started:
		body.WaitSeconds = seconds(info.StartedAt.Sub(due))
		if body.Done {
			body.RunSeconds = seconds(info.FinishedAt.Sub(info.StartedAt))
		}
		if info.Timeout > 0 {
			body.DeadlineAt = newTimestamp(info.StartedAt.Add(info.Timeout))
		}
	case body.Done:
		body.WaitSeconds = seconds(max(0, info.FinishedAt.Sub(due))) // cancelled, and perhaps before it was due
	}
}

func newErrorBody(info *fxtasks.Info) *errorBody {
	if info.Err == nil {
		return nil
	}
	return &errorBody{Type: errorType(info), Message: info.ErrText}
}

// texts are those of an Info's errors that are not its ErrText.
type texts struct{ lastErr, cancelCause string }

// textsOf gives the texts that the engine has made of a task's errors. Their methods are the
// application's code, which may panic, end the goroutine or take its time: nothing here calls it.
func (a *API) textsOf(info *fxtasks.Info) (made texts) {
	if info.LastErr == nil && info.CancelCause == nil {
		return texts{}
	}
	if by, ours := info.CancelCause.(*cancellation); ours && info.LastErr == nil {
		return texts{cancelCause: by.Error()}
	}
	if task, known := a.m.Task(info.ID); known {
		made.lastErr, made.cancelCause = task.Texts()
	}
	if info.Err == nil { // the task may have gone on since
		made.lastErr = info.ErrText
	}
	if made.cancelCause == "" { // the record is gone: the text of its end begins with that of the cause
		made.cancelCause = info.ErrText
	}
	return made
}

// newLastErrorBody tells of the latest attempt that another followed, or is to follow.
func newLastErrorBody(info *fxtasks.Info, texts texts) *errorBody {
	if info.LastErr == nil {
		return nil
	}
	body := &errorBody{Type: "error", Message: texts.lastErr}
	if _, panicked := info.LastErr.(*fxtasks.PanicError); panicked {
		body.Type = "panic"
	} else if strings.HasPrefix(body.Message, fxtasks.ErrTimeout.Error()) { // so the texts of attempts that timed out begin
		body.Type = "timeout"
	}
	return body
}

// errorType tells kinds of errors apart by the status and by the outermost type: what an error wraps
// is no news of this task.
func errorType(info *fxtasks.Info) string {
	switch info.Status {
	case fxtasks.Cancelled:
		if info.CancelCause == fxtasks.ErrShutdown {
			return "shutdown"
		}
		return "cancelled"
	case fxtasks.TimedOut:
		return "timeout"
	}
	if _, panicked := info.Err.(*fxtasks.PanicError); panicked {
		return "panic"
	}
	if info.Err == fxtasks.ErrGoexit {
		return "goexit"
	}
	return "error"
}

// addStack adds the stack of a panic, if there is one and the caller may see it.
func (a *API) addStack(r *http.Request, body *errorBody, info *fxtasks.Info) {
	panicked, ok := info.Err.(*fxtasks.PanicError)
	if ok && body.Type == "panic" && a.allows(r, ActionViewStack, info) {
		body.Stack = string(panicked.Stack)
	}
}

// maxText is how many characters of a message a list shows.
const maxText = 500

// cut shortens what can be long: a thousand failures of 64 KB shall not be 64 MB to who only wants
// to count them.
func (b taskBody) cut() taskBody {
	if b.Error != nil {
		b.Error.Message = cutText(b.Error.Message)
	}
	if b.LastError != nil {
		b.LastError.Message = cutText(b.LastError.Message)
	}
	if b.Progress != nil {
		b.Progress.Message = cutText(b.Progress.Message)
	}
	if b.Cancel != nil {
		b.Cancel.Reason = cutText(b.Cancel.Reason)
	}
	return b
}

func cutText(text string) string {
	n := 0
	for i := range text {
		if n == maxText {
			return text[:i]
		}
		n++
	}
	return text
}

func newProgressBody(p fxtasks.Progress) progressBody {
	body := progressBody{Current: p.Current, Total: p.Total, Unit: p.Unit, Message: p.Message, UpdatedAt: newTimestamp(p.UpdatedAt)}
	if p.Total > 0 {
		percent := max(0, min(100, 100*float64(p.Current)/float64(p.Total)))
		body.Percent = &percent
	}
	return body
}

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}
