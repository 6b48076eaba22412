package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/fxtasks/background/fxtasks"
)

// serveTask answers GET /tasks/{id}.
func (a *API) serveTask(w http.ResponseWriter, r *http.Request, id string) {
	if task, info, ok := a.findTask(w, r, id); ok {
		a.writeTask(w, r, http.StatusOK, a.taskBody(r, mount(r), task, &info))
	}
}

// findTask gives the task that has the ID, if the caller may view it; else it answers.
func (a *API) findTask(w http.ResponseWriter, r *http.Request, id string) (*fxtasks.Task, fxtasks.Info, bool) {
	task, ok := a.m.Task(id)
	if !ok {
		return nil, fxtasks.Info{}, a.mayView(w, r, id, nil)
	}
	info := task.Info()
	return task, info, a.mayView(w, r, id, &info)
}

// writeTask answers with a task. A client that has this very state already gets a 304.
func (a *API) writeTask(w http.ResponseWriter, r *http.Request, status int, task taskBody) {
	a.writeState(w, r, status, task.Done, task)
}

// writeState answers with what may change until it is done.
func (a *API) writeState(w http.ResponseWriter, r *http.Request, status int, done bool, state any) {
	body, err := json.Marshal(state)
	if err != nil {
		newProblem(http.StatusInternalServerError, "").write(w)
		return
	}
	hash := sha256.Sum256(body)
	etag := strconv.Quote(base64.RawURLEncoding.EncodeToString(hash[:12]))
	w.Header().Set("ETag", etag)
	if !done {
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

func isGet(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }
