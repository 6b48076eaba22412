package pgtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// NewBouncer runs PgBouncer in transaction mode before s, until the test ends, and gives its address. Through it
// neither LISTEN nor session locks work, and before version 1.21 no prepared statements.
func NewBouncer(tb testing.TB, s *Server) (address string) {
	tb.Helper()
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		const how = "no PgBouncer: install it with `apt-get install -y pgbouncer`"
		if os.Getenv("CI") == "true" {
			tb.Fatal(how)
		}
		tb.Skip(how)
	}
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	config := filepath.Join(s.dir, fmt.Sprintf("pgbouncer-%d.ini", port)) // where its user may read
	text := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d user=%s\n"+
		"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n",
		s.port, superuser, port)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(binary, "-q", config)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential()} // it refuses to be run by root
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	const patience = 10 * time.Second
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return address
		}
		if time.Now().After(end) {
			tb.Fatalf("PgBouncer does not listen after %v: %v", patience, err)
		}
	}
}
