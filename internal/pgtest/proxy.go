package pgtest

import (
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a server, and can be cut: then nothing passes any more, and nobody is told.
type Proxy struct {
	target   string
	listener net.Listener
	conns    sync.WaitGroup

	mu   sync.Mutex // protects what follows
	cut  bool
	open map[net.Conn]bool
}

// NewProxy makes a proxy before address, and ends it with the test.
func NewProxy(tb testing.TB, address string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{target: address, listener: listener, open: make(map[net.Conn]bool)}
	p.conns.Go(p.accept)
	tb.Cleanup(func() {
		_ = listener.Close()
		p.closeAll()
		p.conns.Wait()
	})
	return p
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Cut lets nothing pass. Connections stay open, and new ones are accepted: a client waits.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
}

// Restore lets new connections pass. The old ones are closed: what they have lost does not come back.
func (p *Proxy) Restore() {
	p.mu.Lock()
	p.cut = false
	p.mu.Unlock()
	p.closeAll()
}

func (p *Proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
	clear(p.open)
}

func (p *Proxy) keep(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[conn] = true
}

func (p *Proxy) isCut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cut
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.keep(client)
		if p.isCut() {
			continue
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.keep(server)
		p.conns.Go(func() { p.pass(client, server) })
		p.conns.Go(func() { p.pass(server, client) })
	}
}

// pass copies until either side ends, and loses what comes while the proxy is cut.
func (p *Proxy) pass(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if p.isCut() {
			if err != nil {
				return
			}
			continue
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = from.Close()
	_ = to.Close()
}
