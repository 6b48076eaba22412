package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

const maxKey = 255 // bytes of an Idempotency-Key

// Submit submits the work that r asks for, with r's context. If r has an Idempotency-Key, the same
// key from the same caller with the same name joins the task of the first request, as long as its
// record is kept; a refused submit is not remembered. Options that are given come after that: with
// an ID chosen by WithID, requests that have any key join the task of that ID, unless WithDuplicate
// says otherwise.
//
// Errors are s.Submit's; a key that is too long is one that matches fxtasks.ErrInvalid.
func (a *API) Submit(r *http.Request, caller string, s fxtasks.Submitter, name string, fn fxtasks.Func,
	opts ...fxtasks.TaskOption) (*fxtasks.Task, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		return nil, fmt.Errorf("%w: Idempotency-Key has %d bytes: at most %d", fxtasks.ErrInvalid, len(key), maxKey)
	}
	if key != "" {
		once := []fxtasks.TaskOption{
			fxtasks.WithID(idempotentID(caller, name, key)),
			fxtasks.WithDuplicate(fxtasks.Join),
		}
		opts = append(once, opts...)
	}
	return s.Submit(r.Context(), name, fn, opts...)
}

// idempotentID gives different IDs to different triples, and does not tell the key.
func idempotentID(caller, name, key string) string {
	hash := sha256.New()
	for _, part := range []string{caller, name, key} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return "once-" + base64.RawURLEncoding.EncodeToString(hash.Sum(nil))
}

// Accepted answers a request that has started t: 202 with the task as the body, and its address
// under mount, the path where the API is mounted. With "Prefer: wait=N" it first waits for the
// task, up to N seconds and 30 at most, and if the task ends in time answers 200. The server's
// WriteTimeout does not count: a client that gets no answer would ask again, and start the work twice.
func (a *API) Accepted(w http.ResponseWriter, r *http.Request, mount string, t *fxtasks.Task) {
	wait, asked := preferredWait(r.Header.Values("Prefer"))
	wait = prepareWait(w, r, wait)
	if asked {
		limit := time.NewTimer(wait)
		defer limit.Stop()
		select {
		case <-t.Done():
		case <-limit.C:
		case <-r.Context().Done():
		case <-a.streams.closing: // a request that waits shall not hold up a deploy either
		}
	}
	info := t.Info()
	body := a.taskBody(r, mount, t, &info)
	writeAccepted(w, body.Links.Self, body.Done, asked, wait, body)
}

// writeAccepted answers with the state of what was started.
func writeAccepted(w http.ResponseWriter, location string, done, asked bool, wait time.Duration, body any) {
	h := w.Header()
	setCommonHeaders(h)
	h.Set("Location", location)
	if asked && done {
		h.Set("Preference-Applied", "wait="+strconv.Itoa(int(wait.Seconds())))
		writeJSON(w, jsonType, http.StatusOK, body)
		return
	}
	h.Set("Retry-After", strconv.Itoa(retryAfter))
	writeJSON(w, jsonType, http.StatusAccepted, body)
}

// prepareWait gives an answer that comes after the wait as long to be sent as any other. The writers of
// some middleware cannot do that: then the wait is shortened such that the answer comes before the
// server's WriteTimeout, and before http.TimeoutHandler answers itself, when r's context ends.
func prepareWait(w http.ResponseWriter, r *http.Request, wait time.Duration) time.Duration {
	err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + writeTimeout))
	if err == nil || wait == 0 {
		return wait
	}
	server, served := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !served {
		return wait
	}
	if server.WriteTimeout > 0 {
		wait = min(wait, server.WriteTimeout/2)
	}
	if deadline, limited := r.Context().Deadline(); limited {
		wait = max(0, min(wait, time.Until(deadline)*3/4))
	}
	return wait
}
