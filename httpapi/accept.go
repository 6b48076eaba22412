package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

const (
	maxWaitSeconds = 30  // that a client may ask for
	maxKey         = 255 // bytes of an Idempotency-Key
)

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
// task, up to N seconds and 30 at most, and if the task ends in time answers 200.
func (a *API) Accepted(w http.ResponseWriter, r *http.Request, mount string, t *fxtasks.Task) {
	wait, asked := preferredWait(r.Header.Values("Prefer"))
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
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	info := t.Info()
	body := a.taskBody(r, mount, &info)
	h.Set("Location", body.Links.Self)
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
	if len(headers) == 0 { // as nearly always
		return 0, false
	}
	for _, preference := range splitUnquoted(strings.Join(headers, ","), ',') {
		preference = splitUnquoted(preference, ';')[0] // less its parameters
		name, value, _ := strings.Cut(preference, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0, false
		}
		return time.Duration(min(n, maxWaitSeconds)) * time.Second, true
	}
	return 0, false
}

// splitUnquoted splits s at each separator that stands outside of a quoted string.
func splitUnquoted(s string, separator byte) (parts []string) {
	begin, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++ // whatever comes next is in the string
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, s[begin:i])
			begin = i + 1
		}
	}
	return append(parts, s[begin:])
}
