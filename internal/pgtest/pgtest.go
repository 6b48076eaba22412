// Package pgtest runs PostgreSQL servers for tests: Debian's binaries, a directory and a loopback port of their
// own, never the system's cluster.
package pgtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

const superuser = "postgres"

// Server is one cluster.
type Server struct {
	bin, dir string
	port     int
	made     atomic.Int64 // databases
}

var shared struct {
	sync.Mutex
	server *Server
}

// Shared gives the server that the tests of a package share, and starts it for the first that asks. Where there
// is no PostgreSQL the test is skipped, or with CI=true failed. TestMain calls Stop.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		shared.server = New(tb)
	}
	return shared.server
}

// Stop ends the shared server, if there is one.
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.remove()
	}
}

// Start gives a server of the test's own, which it may stop and start.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := New(tb)
	tb.Cleanup(s.remove)
	return s
}

// New is Start for who removes the server himself.
func New(tb testing.TB) *Server {
	tb.Helper()
	bin := findBin()
	if bin == "" {
		const how = "no PostgreSQL: install it with `apt-get install -y postgresql`"
		if os.Getenv("CI") == "true" {
			tb.Fatal(how)
		}
		tb.Skip(how)
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{bin: bin, dir: dir}
	if err := s.initialize(); err != nil {
		_ = os.RemoveAll(dir)
		tb.Fatal(err)
	}
	return s
}

// findBin gives the directory of the newest version's binaries.
func findBin() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl") // the pattern is a good one
	if len(found) == 0 {
		return ""
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest)
}

func (s *Server) initialize() error {
	var err error
	if s.port, err = freePort(); err != nil {
		return err
	}
	if cred := credential(); cred != nil {
		if err := os.Chown(s.dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return err
		}
	}
	if err := s.run("initdb", "-D", s.data(), "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-sync"); err != nil {
		return err
	}
	return s.Up()
}

// freePort gives a loopback port that nobody listens on.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Up starts the server, if it was stopped.
func (s *Server) Up() error {
	options := fmt.Sprintf("-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories=%s -c max_connections=300 -c fsync=off", s.port, s.dir)
	return s.run("pg_ctl", "-D", s.data(), "-l", filepath.Join(s.dir, "log"), "-o", options, "-w", "start")
}

// Down stops the server, with whatever runs on it.
func (s *Server) Down() error { return s.run("pg_ctl", "-D", s.data(), "-m", "fast", "-w", "stop") }

func (s *Server) remove() {
	_ = s.run("pg_ctl", "-D", s.data(), "-m", "immediate", "-w", "stop")
	_ = os.RemoveAll(s.dir)
}

// Address gives host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Database makes an empty database and gives its URL.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("test_%d", s.made.Add(1))
	if err := s.run("createdb", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", superuser, name); err != nil {
		tb.Fatal(err)
	}
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", superuser, s.Address(), name)
}

// run runs one of PostgreSQL's programs, which refuse to be run by root.
func (s *Server) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential()}
	// A file, not a pipe: pg_ctl's server would keep that open, and the command would never end.
	out, err := os.CreateTemp("", "pgtest-out-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s %v: %w\n%s", program, args, err, text)
	}
	return nil
}

// credential gives the user postgres to root, and nobody to others.
func credential() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup(superuser)
	if err != nil {
		return nil
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
