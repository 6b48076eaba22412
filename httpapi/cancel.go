package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// maxBody is how many bytes a request's body may have.
const maxBody = 64 << 10

// cancellation is the cause of a cancel that says who asked for it, or why.
type cancellation struct{ by, reason string }

// NewCancellation gives the cause of a cancel, as the API gives it to tasks and as it shows it: by
// says who asked, and reason why. Both may be "". An implementation of Jobs uses it for the
// CancelCause of a job. It matches fxtasks.ErrCancelled, and is that when both are "".
func NewCancellation(by, reason string) error {
	if by == "" && reason == "" {
		return fxtasks.ErrCancelled
	}
	return &cancellation{by, reason}
}

func (c *cancellation) Error() string {
	if c.reason == "" {
		return fxtasks.ErrCancelled.Error()
	}
	return c.reason
}

func (c *cancellation) Unwrap() error { return fxtasks.ErrCancelled }

// serveCancel answers DELETE /tasks/{id}. It asks the task to end and does not wait until it has.
func (a *API) serveCancel(w http.ResponseWriter, r *http.Request, id string) {
	if !a.writable(w, id) {
		return
	}
	task, info, ok := a.findTask(w, r, id)
	if !ok || !a.mayChange(w, r, ActionCancel, &info) {
		return
	}
	by, reason, ok := a.readCancel(w, r, id)
	if !ok {
		return
	}
	task.Cancel(NewCancellation(by, reason))
	info = task.Info()
	a.log(r, by, "cancel requested over HTTP", zap.String("task_id", info.ID), zap.String("task_name", info.Name),
		zap.Stringer("status", info.Status), zap.String("reason", reason))
	a.writeTask(w, r, cancelStatus(info), a.taskBody(r, mount(r), task, &info))
}

// cancelStatus is 202 while what was asked to end goes on.
func cancelStatus(info fxtasks.Info) int {
	if info.Status.Finished() {
		return http.StatusOK
	}
	return http.StatusAccepted
}

// readCancel reads who cancels, and the body: nothing, or {"reason": "…"}. It answers what it refuses.
func (a *API) readCancel(w http.ResponseWriter, r *http.Request, id string) (by, reason string, ok bool) {
	refuse := func(status int, detail string) (string, string, bool) {
		newProblem(status, detail).about(id).write(w)
		return "", "", false
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return refuse(http.StatusRequestEntityTooLarge, "the body may have 65536 bytes")
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the body could not be read")
	}
	if len(bytes.TrimSpace(data)) > 0 {
		if reason, ok = reasonOf(data); !ok {
			return refuse(http.StatusBadRequest, `the body is not of the form {"reason": "…"}`)
		}
	}
	by, ok = a.caller(w, r)
	return by, reason, ok
}
