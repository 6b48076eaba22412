package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// maxBody is how many bytes a request's body may have.
const maxBody = 64 << 10

// reason is the cause of a cancel for which the client gave one.
type reason string

func (r reason) Error() string { return string(r) }

// serveCancel answers DELETE /tasks/{id}. It asks the task to end and does not wait until it has.
func (a *API) serveCancel(w http.ResponseWriter, r *http.Request, id string) {
	if a.cfg.ReadOnly {
		newProblem(http.StatusForbidden, "this API is read-only").about(id).write(w)
		return
	}
	task, info, ok := a.findTask(w, r, id)
	if !ok {
		return
	}
	if !a.allows(r, ActionCancel, &info) {
		newProblem(http.StatusForbidden, "not allowed to cancel this task").about(id).write(w)
		return
	}
	refused, cause := readReason(w, r)
	if refused != nil {
		refused.about(id).write(w)
		return
	}
	task.Cancel(cause)
	info = task.Info()
	a.cfg.Logger.Info("cancel requested over HTTP", zap.String("task_id", info.ID), zap.String("task_name", info.Name),
		zap.String("remote_addr", r.RemoteAddr), zap.Stringer("status", info.Status), zap.NamedError("reason", cause))
	status := http.StatusAccepted
	if info.Status.Finished() {
		status = http.StatusOK
	}
	a.writeTask(w, r, status, mount(r), info)
}

// readReason reads the body of a cancel: nothing, or {"reason": "…"}. Without a reason it gives
// the engine's own cause for the API's cancels.
func readReason(w http.ResponseWriter, r *http.Request) (refused *problem, cause error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return newProblem(http.StatusRequestEntityTooLarge, "the body may have 65536 bytes"), nil
	}
	if err != nil {
		return newProblem(http.StatusBadRequest, "the body could not be read"), nil
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fxtasks.ErrCancelled
	}
	var body struct {
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return newProblem(http.StatusBadRequest, `the body is not of the form {"reason": "…"}`), nil
	}
	if body.Reason == "" {
		return nil, fxtasks.ErrCancelled
	}
	return nil, reason(body.Reason)
}
