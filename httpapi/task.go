package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
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
	WaitSeconds    *float64          `json:"wait_seconds,omitempty"` // like RunSeconds there only once it
	RunSeconds     *float64          `json:"run_seconds,omitempty"`  // no longer changes, for the ETag's sake
	TimeoutSeconds float64           `json:"timeout_seconds,omitempty"`
	Cancel         *cancelBody       `json:"cancel,omitempty"`
	Links          linksBody         `json:"links"`
}

type errorBody struct {
	Type    string `json:"type"` // "error", "panic", "goexit", "timeout", "cancelled"
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
}

type linksBody struct {
	Self string `json:"self"`
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

// serveTask answers GET /tasks/{id}.
func (a *API) serveTask(w http.ResponseWriter, r *http.Request, id string) {
	if _, info, ok := a.findTask(w, r, id); ok {
		a.writeTask(w, r, http.StatusOK, mount(r), info)
	}
}

// findTask gives the task that has the ID, if the caller may view it; else it answers 404, so that
// nobody learns what exists.
func (a *API) findTask(w http.ResponseWriter, r *http.Request, id string) (*fxtasks.Task, fxtasks.Info, bool) {
	if task, ok := a.m.Task(id); ok {
		if info := task.Info(); a.allows(r, ActionView, &info) {
			return task, info, true
		}
	}
	newProblem(http.StatusNotFound, "no such task").about(id).write(w)
	return nil, fxtasks.Info{}, false
}

// writeTask answers with a task. A client that has this very state already gets a 304.
func (a *API) writeTask(w http.ResponseWriter, r *http.Request, status int, mount string, info fxtasks.Info) {
	body, err := json.Marshal(a.taskBody(r, mount, &info))
	if err != nil {
		newProblem(http.StatusInternalServerError, "").write(w)
		return
	}
	hash := sha256.Sum256(body)
	etag := strconv.Quote(base64.RawURLEncoding.EncodeToString(hash[:12]))
	w.Header().Set("ETag", etag)
	if !info.Status.Finished() {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if isGet(r) && matchesETag(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client has gone: nobody is left to tell
}

// matchesETag compares weakly, as RFC 9110 has it for If-None-Match.
func matchesETag(headers []string, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// taskBody renders a task for the caller of r. It is the one place where metadata leaves.
func (a *API) taskBody(r *http.Request, mount string, info *fxtasks.Info) taskBody {
	body := taskBody{
		ID:             info.ID,
		Name:           info.Name,
		Group:          info.Group,
		Status:         info.Status.String(),
		Done:           info.Status.Finished(),
		Error:          a.errorBody(r, info),
		CreatedAt:      newTimestamp(info.CreatedAt),
		StartedAt:      newTimestamp(info.StartedAt),
		FinishedAt:     newTimestamp(info.FinishedAt),
		ExpiresAt:      newTimestamp(info.ExpiresAt),
		TimeoutSeconds: info.Timeout.Seconds(),
		Links:          linksBody{Self: taskPath(mount, info.ID)},
	}
	if len(info.Metadata) > 0 {
		body.Metadata = make(map[string]string, len(info.Metadata))
		for key, value := range info.Metadata {
			body.Metadata[key] = a.cfg.Redact(key, value)
		}
	}
	if !info.Progress.UpdatedAt.IsZero() {
		progress := newProgressBody(info.Progress)
		body.Progress = &progress
	}
	if !info.CancelRequestedAt.IsZero() {
		body.Cancel = &cancelBody{newTimestamp(info.CancelRequestedAt), messageOf(info.CancelCause)}
	}
	started := !info.StartedAt.IsZero()
	switch {
	case started:
		body.WaitSeconds = seconds(info.StartedAt.Sub(info.CreatedAt))
	case body.Done:
		body.WaitSeconds = seconds(info.FinishedAt.Sub(info.CreatedAt))
	}
	if started && body.Done {
		body.RunSeconds = seconds(info.FinishedAt.Sub(info.StartedAt))
	}
	if started && info.Timeout > 0 {
		body.DeadlineAt = newTimestamp(info.StartedAt.Add(info.Timeout))
	}
	return body
}

func (a *API) errorBody(r *http.Request, info *fxtasks.Info) *errorBody {
	if info.Err == nil {
		return nil
	}
	body := &errorBody{Type: "error", Message: messageOf(info.Err)}
	switch info.Status {
	case fxtasks.Cancelled:
		body.Type = "cancelled"
	case fxtasks.TimedOut:
		body.Type = "timeout"
	default:
		if panicked, ok := info.Err.(*fxtasks.PanicError); ok {
			body.Type = "panic"
			if a.allows(r, ActionViewStack, info) {
				body.Stack = string(panicked.Stack)
			}
		} else if info.Err == fxtasks.ErrGoexit {
			body.Type = "goexit"
		}
	}
	return body
}

// messageOf gives what err says. The methods of a user's error can panic, as those of a typed nil do:
// Sprint recovers.
func messageOf(err error) string { return fmt.Sprint(err) }

func newProgressBody(p fxtasks.Progress) progressBody {
	body := progressBody{Current: p.Current, Total: p.Total, Unit: p.Unit, Message: p.Message, UpdatedAt: newTimestamp(p.UpdatedAt)}
	if p.Total > 0 {
		percent := max(0, min(100, 100*float64(p.Current)/float64(p.Total)))
		body.Percent = &percent
	}
	return body
}

func taskPath(mount, id string) string { return mount + "/tasks/" + url.PathEscape(id) }

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

func isGet(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }
