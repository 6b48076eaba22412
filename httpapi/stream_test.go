package httpapi_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

// tcpStream is an event stream over a real connection.
type tcpStream struct {
	t     testing.TB
	r     *http.Response
	lines *bufio.Scanner
	last  event
}

// stream opens a stream.
func (c *client) stream(headers ...string) *tcpStream {
	c.t.Helper()
	req, err := http.NewRequest("GET", c.url+"/events", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
	r, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	s := &tcpStream{t: c.t, r: r, lines: bufio.NewScanner(r.Body)}
	s.lines.Buffer(nil, 1<<20)
	c.t.Cleanup(s.close)
	if r.StatusCode != http.StatusOK {
		c.t.Fatalf("the stream is %s", r.Status)
	}
	return s
}

func (s *tcpStream) close() { _ = s.r.Body.Close() }

// more gives the next event, or false at the end of the stream.
func (s *tcpStream) more() (event, bool) {
	s.t.Helper()
	var block []string
	for s.lines.Scan() {
		if line := s.lines.Text(); line != "" {
			block = append(block, line)
			continue
		}
		s.last = parseEvent(s.t, strings.Join(block, "\n"))
		return s.last, true
	}
	return event{}, false
}

func (s *tcpStream) next() event {
	s.t.Helper()
	e, ok := s.more()
	if !ok {
		s.t.Fatalf("the stream ended: %v", s.lines.Err())
	}
	return e
}
