package main

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// A key and a name are what a sample is asked for by.
func TestKeysAndNamesAreUnique(t *testing.T) {
	keys := make(map[string]bool)
	for _, r := range rows(full) {
		if keys[r.key] || strings.Contains(r.key, "/") {
			t.Errorf("key %q is not unique, or has a slash", r.key)
		}
		keys[r.key] = true
		names := make(map[string]bool)
		for _, c := range r.contenders() {
			if names[c.name] {
				t.Errorf("row %s: contender %q is there twice", r.key, c.name)
			}
			names[c.name] = true
		}
		if r.title == "" || r.note == "" {
			t.Errorf("row %s has no title or note", r.key)
		}
	}
}

func TestSharesAddUp(t *testing.T) {
	for _, n := range []int{0, 1, 7, 200_000} {
		for parts := 1; parts <= 16; parts++ {
			sum := 0
			for i := range parts {
				s := share(n, parts, i)
				if s < n/parts || s > n/parts+1 {
					t.Errorf("one of %d shares of %d is %d", parts, n, s)
				}
				sum += s
			}
			if sum != n {
				t.Errorf("%d shares of %d add up to %d", parts, n, sum)
			}
		}
	}
}

func TestTheFollowerReads(t *testing.T) {
	f := openFollowed().(*followed)
	f.do(nothing)
	f.close()
	if f.read != 3 { // submitted, started, finished
		t.Errorf("it read %d events, want 3", f.read)
	}
}

func TestTheLibraryKeepsAsManyOfEachName(t *testing.T) {
	l := openLibrary(tiny.known)
	defer l.close()
	for _, name := range names {
		if got := l.m.List(fxtasks.Filter{Name: name}).Total; got != tiny.known/len(names) {
			t.Errorf("it knows %d tasks named %s, want %d", got, name, tiny.known/len(names))
		}
	}
	l.fill(tiny.batch) // takes the place of the oldest
	if got := l.m.List(fxtasks.Filter{}).Total; got != tiny.known {
		t.Errorf("it knows %d tasks, want %d", got, tiny.known)
	}
}

func TestTheClientReadsAnswersOneAfterTheOther(t *testing.T) {
	const accepted = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	r := bufio.NewReader(strings.NewReader(accepted + accepted))
	for range 2 {
		if err := readAccepted(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := readAccepted(r); err != io.EOF {
		t.Errorf("after the last answer: %v", err)
	}
	for _, c := range []struct{ answer, want string }{
		{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "503"},
		{"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "no Content-Length"},
		{"HTTP/1.1 202 Accepted\r\nContent-Length: two\r\n\r\n{}", "two"},
		{"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{", "EOF"},
	} {
		if err := readAccepted(bufio.NewReader(strings.NewReader(c.answer))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: the error is %v, want one with %q", c.answer, err, c.want)
		}
	}
}
