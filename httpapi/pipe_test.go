package httpapi_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fxtasks/background/httpapi"
)

// pipeServer is a real http.Server in a bubble. Its connections have no buffer at all: a client
// that stops reading holds up the very next write.
type pipeServer struct {
	http.Server
	t      testing.TB
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// servePipe starts a server with api. Its timeouts are set by configure.
func servePipe(t testing.TB, api *httpapi.API, configure func(*http.Server)) *pipeServer {
	t.Helper()
	s := &pipeServer{t: t, conns: make(chan net.Conn), closed: make(chan struct{})}
	s.Handler = mounted(api)
	s.RegisterOnShutdown(api.CloseStreams)
	configure(&s.Server)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Serve(s); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		_ = s.Server.Close()
		<-ended
	})
	return s
}

// Accept, Close and Addr make s a net.Listener.
func (s *pipeServer) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *pipeServer) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *pipeServer) Addr() net.Addr { return new(net.UnixAddr) }

// pipeStream is an event stream over such a connection.
type pipeStream struct {
	conn net.Conn
	head *bufio.Reader
	body io.Reader

	mu   sync.Mutex // protects what follows
	text []byte
	end  error
}

// open opens a stream, whose client reads no more than the headers of the response.
func (s *pipeServer) open() *pipeStream {
	s.t.Helper()
	client, server := net.Pipe()
	s.t.Cleanup(func() { _ = client.Close() })
	s.conns <- server
	if _, err := io.WriteString(client, "GET "+mount+"/events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
	stream := &pipeStream{conn: client, head: bufio.NewReader(client)}
	stream.body = httputil.NewChunkedReader(stream.head)
	for line := "HTTP/1.1 200 OK\r\n"; line != "\r\n"; {
		got, err := stream.head.ReadString('\n')
		if err != nil || line != "" && got != line {
			s.t.Fatalf("the response begins with %q (%v)", got, err)
		}
		if line = ""; got == "\r\n" {
			line = got
		}
	}
	return stream
}

// read goes on to read the stream.
func (p *pipeStream) read() *pipeStream {
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := p.body.Read(buf)
			p.mu.Lock()
			p.text = append(p.text, buf[:n]...)
			p.end = err
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return p
}

// got gives what was read, and whether the stream has ended, once all is at rest.
func (p *pipeStream) got() (text string, ended bool) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.text), p.end != nil
}
