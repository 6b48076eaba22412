//go:build unix

// Package examples holds no code of its own: its test keeps the README and the pages in docs honest.
package examples

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	_ "github.com/fxtasks/background/echov5adapter" // snippets import it
)

// blocks gives the code blocks of a language in the README and the pages, but docs/durable.md: that one has a test
// of its own.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = slices.DeleteFunc(pages, func(page string) bool { return filepath.Base(page) == "durable.md" })
	var all []string
	for _, page := range append(pages, "../README.md") {
		all = append(all, blocksOf(t, page, language)...)
	}
	if len(all) == 0 {
		t.Fatalf("there is no %s block", language)
	}
	return all
}

func blocksOf(t *testing.T, page, language string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)\n```\n").FindAllSubmatch(text, -1) {
		all = append(all, string(match[1]))
	}
	return all
}

func TestTheREADMEsProgramRunsUntilItIsTerminated(t *testing.T) {
	programs := 0
	for _, block := range blocks(t, "go") {
		if !strings.HasPrefix(block, "package main") {
			continue
		}
		programs++
		program := exec.Command(build(t, map[string]string{"main.go": block}))
		output, err := program.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		var log []string
		for lines := bufio.NewScanner(output); lines.Scan(); {
			log = append(log, lines.Text())
			if strings.HasSuffix(lines.Text(), " 2") { // its task has got on for a second: Run waits for signals by now
				if err := program.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := program.Wait(); err != nil {
			t.Errorf("the program ends with %v; its output:\n%s", err, strings.Join(log, "\n"))
		}
	}
	if programs != 1 {
		t.Errorf("the README has %d programs, want one", programs)
	}
}

// stubs is what the README's snippets take for granted.
const stubs = `
type Mailer struct { group *fxtasks.Group; smtp *SMTP }
type SMTP struct{}
func NewDB() *sql.DB                                      { return nil }
func NewReports(tasks *fxtasks.Manager, db *sql.DB) *Reports { return &Reports{tasks, db} }
func NewTracerProvider() trace.TracerProvider             { return nil }
func measure(context.Context) (int64, error)              { return 0, nil }
func sendMail(context.Context, string) error              { return nil }
func sendReceipt(context.Context) error                   { return nil }
func sendReminder(context.Context) error                  { return nil }
func buildReport(context.Context) error                   { return nil }
func main()                                               {}
`

// imports by the name that snippets use them by. A snippet that needs another one says so:
//
//	// import "github.com/robfig/cron/v3"
var imports = map[string]string{
	"background":    "github.com/fxtasks/background",
	"context":       "context",
	"echo":          "github.com/labstack/echo/v4",
	"echoadapter":   "github.com/fxtasks/background/echoadapter",
	"echov5adapter": "github.com/fxtasks/background/echov5adapter",
	"errors":        "errors",
	"fmt":           "fmt",
	"fx":            "go.uber.org/fx",
	"fxtasks":       "github.com/fxtasks/background/fxtasks",
	"fxtaskstest":   "github.com/fxtasks/background/fxtasks/fxtaskstest",
	"http":          "net/http",
	"httpapi":       "github.com/fxtasks/background/httpapi",
	"log":           "log",
	"metric":        "go.opentelemetry.io/otel/metric",
	"net":           "net",
	"oteladapter":   "github.com/fxtasks/background/oteladapter",
	"pgx":           "github.com/jackc/pgx/v5",
	"pgxpool":       "github.com/jackc/pgx/v5/pgxpool",
	"postgres":      "github.com/fxtasks/background/riveradapter/postgres",
	"prometheus":    "go.opentelemetry.io/otel/exporters/prometheus",
	"river":         "github.com/riverqueue/river",
	"riveradapter":  "github.com/fxtasks/background/riveradapter",
	"sdkmetric":     "go.opentelemetry.io/otel/sdk/metric",
	"sql":           "database/sql",
	"sqlite":        "github.com/fxtasks/background/riveradapter/sqlite",
	"strconv":       "strconv",
	"testing":       "testing",
	"time":          "time",
	"trace":         "go.opentelemetry.io/otel/trace",
	"zap":           "go.uber.org/zap",
}

func TestTheREADMEsSnippetsCompile(t *testing.T) {
	files := map[string]string{"stubs.go": goFile(stubs)}
	for i, block := range blocks(t, "go") {
		switch {
		case strings.HasPrefix(block, "package"):
			continue
		case !regexp.MustCompile(`(?m)^(func|type) `).MatchString(block): // statements
			block = "func _(ctx context.Context, tasks *fxtasks.Manager, path string) error {\n" + block + "\nreturn nil\n}"
		}
		files[fmt.Sprintf("snippet%d.go", i)] = goFile(block)
	}
	build(t, files)
}

var comment = regexp.MustCompile(`//.*`)

func goFile(code string) string {
	file := "package main\n"
	imports := maps.Clone(imports)
	for _, match := range regexp.MustCompile(`// import (?:(\w+) )?"(\S+)"`).FindAllStringSubmatch(code, -1) {
		name := match[1]
		if name == "" {
			name = path.Base(regexp.MustCompile(`/v\d+$`).ReplaceAllString(match[2], ""))
		}
		imports[name] = match[2]
	}
	uses := comment.ReplaceAllString(code, "")
	for name, path := range imports {
		if regexp.MustCompile(`\b` + name + `\.`).MatchString(uses) {
			file += fmt.Sprintf("import %s %q\n", name, path)
		}
	}
	return file + code + "\n"
}

// build compiles the files as a program of this module, without writing them into its tree.
func build(t *testing.T, files map[string]string) (program string) {
	t.Helper()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(here, "readme", name)] = path
	}
	config, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, config, 0o600); err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "program")
	if out, err := exec.Command("go", "build", "-overlay", overlayFile, "-o", program, "./readme").CombinedOutput(); err != nil {
		t.Fatalf("it does not compile: %v\n%s", err, out)
	}
	return program
}

// The README's commands are run as they stand there, but for the port: it may be taken.
func TestTheREADMEsCommandsWork(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("curl is missing: apt-get install curl")
		}
		t.Skip("curl is missing: apt-get install curl")
	}
	const port, earlier = ":8080", "/tmp/before"
	address, built := "", filepath.Join(t.TempDir(), "before")
	for _, command := range strings.Split(strings.Join(blocks(t, "sh"), "\n"), "\n") {
		switch {
		case command == "go test work":
			ci, err := os.ReadFile("../.ci/run")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(ci, []byte(command)) {
				t.Errorf("nothing runs %q: this test cannot, being part of it", command)
			}
		case strings.HasPrefix(command, "go run ./examples/quickstart"):
			address = serve(t, command+" -addr 127.0.0.1:0")
		case strings.HasPrefix(command, "go run ./examples/observability"):
			address = serve(t, command+" -addr 127.0.0.1:0 -jobs "+filepath.Join(t.TempDir(), "jobs.db"))
		case command == "go run ./benchmarks":
			run(t, command+" -rounds 1 -only ^stats$") // one row, so that it takes seconds, and writes nothing
		case strings.HasPrefix(command, "go build -o "+earlier+" ./benchmarks"):
			run(t, strings.ReplaceAll(command, earlier, built))
		case command == "go run ./benchmarks -against "+earlier:
			run(t, strings.ReplaceAll(command, earlier, built)+" -rounds 1 -only ^stats$")
		case command == "go run ./e2e/soak -for 60s":
			run(t, strings.Replace(command, "60s", "1s", 1))
		case strings.HasPrefix(command, "curl "):
			if !strings.Contains(command, "127.0.0.1"+port) || address == "" {
				t.Fatalf("%q asks nobody: %q", command, address)
			}
			command = strings.ReplaceAll(command, "127.0.0.1"+port, address)
			run(t, command+" --silent --show-error --fail-with-body")
		default:
			t.Errorf("nothing tests the README's command %q", command)
		}
	}
}

// run runs the command from the root.
func run(t *testing.T, command string) {
	t.Helper()
	shell := exec.Command("sh", "-c", command)
	shell.Dir = ".."
	if out, err := shell.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
}

// The pages say which tests hold which promise.
func TestTheTestsThatThePagesNameExist(t *testing.T) {
	exists := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, match := range regexp.MustCompile(`(?m)^func (\w+)\(`).FindAllSubmatch(code, -1) {
			exists[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\b(Test|Fuzz)[A-Z][A-Za-z0-9_]+`).FindAllString(string(page), -1)
	if len(names) == 0 {
		t.Error("the page names no test")
	}
	for _, name := range names {
		if !exists[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

// serve runs the command, a server, until the test ends, and gives its address.
func serve(t *testing.T, command string) (address string) {
	t.Helper()
	server := exec.Command("sh", "-c", "exec "+command)
	server.Dir = ".."
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run has a child, and passes no signal on
	output, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	t.Cleanup(func() {
		_ = syscall.Kill(-server.Process.Pid, syscall.SIGTERM)
		for lines.Scan() { // until all that write to it have ended
		}
		_ = server.Wait() // go run tells that its child was ended by a signal
	})
	var log []string
	for lines.Scan() {
		log = append(log, lines.Text())
		if found := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`).FindStringSubmatch(lines.Text()); found != nil {
			return found[1]
		}
	}
	t.Fatalf("%s serves nothing:\n%s", command, strings.Join(log, "\n"))
	return ""
}
