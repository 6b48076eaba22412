package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/fxtasks/background/fxtasks"
)

// problem is an error answer, RFC 9457. It never carries a stack, a path or an internal message.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	TaskID string `json:"task_id,omitempty"`

	retryAfter int // seconds; 0: do not say
}

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

func (p *problem) about(taskID string) *problem {
	p.TaskID = taskID
	return p
}

func (p *problem) write(w http.ResponseWriter) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	writeJSON(w, "application/problem+json", p.Status, p)
}

// retryAfter is how long, in seconds, a client should wait before it tries again what was refused
// for the load or the shutdown of the moment.
const retryAfter = 1

// refusals is the one table from what the engine says no with to what HTTP says.
var refusals = []struct {
	err    error
	status int
	detail string
	retry  bool
}{
	{fxtasks.ErrInvalid, http.StatusBadRequest, "", false}, // its message is for whoever gave the input
	{fxtasks.ErrNotFound, http.StatusNotFound, "no such task", false},
	{fxtasks.ErrDuplicateID, http.StatusConflict, "a task with this ID is active", false},
	{fxtasks.ErrFinished, http.StatusConflict, "the task has finished already", false},
	{fxtasks.ErrStillRunning, http.StatusConflict, "the task is still running", false},
	{fxtasks.ErrQueueFull, http.StatusTooManyRequests, "too many tasks are waiting", true},
	{fxtasks.ErrShuttingDown, http.StatusServiceUnavailable, "shutting down", true},
	{context.Canceled, http.StatusServiceUnavailable, "gave up waiting", true},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "gave up waiting", true},
}

// Refusal is what HTTP says of an error of the engine.
type Refusal struct {
	Status     int
	Detail     string // safe to show
	RetryAfter int    // seconds; 0: do not say
}

// RefusalOf translates an error of the engine: ErrInvalid is 400, ErrNotFound 404, ErrDuplicateID,
// ErrFinished and ErrStillRunning 409, ErrQueueFull 429, ErrShuttingDown and a context's error 503,
// and all else 500, without detail.
func RefusalOf(err error) Refusal {
	for _, r := range refusals {
		if !errors.Is(err, r.err) {
			continue
		}
		refusal := Refusal{Status: r.status, Detail: r.detail}
		if r.err == fxtasks.ErrInvalid {
			refusal.Detail = err.Error()
		}
		if r.retry {
			refusal.RetryAfter = retryAfter
		}
		return refusal
	}
	return Refusal{Status: http.StatusInternalServerError}
}
