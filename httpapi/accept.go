package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

const (
	maxWait = 30 * time.Second // that a client may ask for
	maxKey  = 255              // bytes of an Idempotency-Key
)

// Submit submits the work that r asks for, with r's context. If r has an Idempotency-Key, the same
// key from the same caller with the same name joins the task of the first request, as long as its
// record is kept; a refused submit is not remembered. Options that are given come after that: an
// ID chosen by WithID has the say over the key.
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
// task, up to N seconds and 30 at most, and if the task ends in time answers 200.
func (a *API) Accepted(w http.ResponseWriter, r *http.Request, mount string, t *fxtasks.Task) {
	wait, asked := preferredWait(r.Header.Values("Prefer"))
	if asked {
		ctx, cancel := context.WithTimeout(r.Context(), wait)
		_ = t.Wait(ctx) // the task's own error is in its body
		cancel()
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Location", taskPath(mount, t.ID()))
	info := t.Info()
	body := a.taskBody(r, mount, info)
	if asked && body.Done {
		h.Set("Preference-Applied", "wait="+strconv.Itoa(int(wait.Seconds())))
		writeJSON(w, jsonType, http.StatusOK, body)
		return
	}
	h.Set("Retry-After", strconv.Itoa(retryAfter))
	writeJSON(w, jsonType, http.StatusAccepted, body)
}

// preferredWait finds wait=N among the preferences, RFC 7240. What it does not understand it
// ignores, as the RFC wants.
func preferredWait(headers []string) (time.Duration, bool) {
	for preference := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		preference, _, _ = strings.Cut(preference, ";") // its parameters
		name, value, _ := strings.Cut(preference, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 32)
		if err != nil {
			return 0, false
		}
		return min(time.Duration(n)*time.Second, maxWait), true
	}
	return 0, false
}
