package browser_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
)

func TestPauseAndResume(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		server := start(t, "-demo")
		id := server.waitFor("name=import-orders").ID
		p := in.open(t, server.dashboard)
		row := p.tasks("In progress").get("row", "import-orders")
		shown := func() float64 {
			percent, _ := try[float64](row.get("progressbar", ""), `function() { return this.value }`)
			return percent / 100 * importOrders
		}
		p.goesLive()
		row.shows("page ")

		p.get("button", "Pause").click()
		p.get("banner", "").shows("Paused at")
		until(t, "all answers are in", p.isIdle)
		before, text := shown(), row.text()
		until(t, "the task has gone on", func() bool { return server.task(id).Progress.Current >= before+100 })
		if now := row.text(); now != text {
			t.Errorf("a paused page changed:\n%s\n%s", text, now)
		}
		p.get("button", "Resume").click()
		p.goesLive()
		until(t, "the page has caught up", func() bool { return shown() >= before+100 })
	})
}

const importOrders = 2000 // are how many the demo imports

var disconnected = regexp.MustCompile(`Disconnected, showing data from \d\d:\d\d:\d\d`)

func (p *page) isDisconnected() bool { return disconnected.MatchString(p.get("main", "").text()) }

func TestReconnect(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		server := start(t, "-demo")
		p := in.open(t, server.dashboard)
		p.goesLive()
		row := func(server *program) locator {
			id := server.waitFor("name=import-orders").ID
			return p.tasks("In progress").get("row", id[len(id)-8:])
		}
		old := row(server)
		old.shows("Running", "page ")

		server.kill()
		until(t, "the page says so", p.isDisconnected)
		old.shows("Running") // what is known stays

		server = startAt(t, server.addr(), "-demo")
		p.goesLive()
		if p.isDisconnected() {
			t.Error("the page says that it is disconnected, and live")
		}
		row(server).shows("Running", "page ")
		old.disappears() // the new program knows nothing of it
	})
}

func TestStopWithAPageOpen(t *testing.T) {
	t.Parallel()
	server := start(t)
	p := open(t, server.dashboard)
	p.goesLive()

	if err := server.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "the program exits", server.hasExited)
	if code := server.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the exit code is %d", code)
	}
	for text, want := range map[string]bool{
		"requests are cut off": false, // what becomes of a stream that does not end by itself
		"server stopped":       true,
		"shutdown begins":      true,
		"shutdown over":        true,
	} {
		if strings.Contains(server.output.String(), text) != want {
			t.Errorf("the log contains %q: %v, want %v", text, !want, want)
		}
	}
	until(t, "the page says so", p.isDisconnected)
}
