package browser_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// statuses are the counts by status, which are filters too.
func (p *page) statuses() locator { return p.get("navigation", "Tasks by status") }

// count is how many tasks the page says there are.
func (p *page) count(status string) int {
	p.t.Helper()
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, p.statuses().get("link", status).text())
	n, _ := strconv.Atoi(digits) // none yet: 0
	return n
}

func (p *page) searchField() locator { return p.get("searchbox", "Search") }

// search types something into the search field.
func (p *page) search(text string) {
	p.t.Helper()
	p.searchField().fill(text)
	p.press("\r")
	until(p.t, "the address bar tells of the search for "+text, func() bool { return p.query().Get("q") == text })
}

func (p *page) tasks(heading string) locator { return p.get("region", heading) }

// rows are those of tasks, without the head of the table.
func (l locator) rows() (rows []string) {
	for _, row := range l.get("row", "").texts() {
		if !strings.HasPrefix(strings.TrimSpace(row), "Task\t") {
			rows = append(rows, row)
		}
	}
	return rows
}

// onlyShows waits until there are rows, and all of them contain the text.
func (l locator) onlyShows(text string) {
	l.page.t.Helper()
	until(l.page.t, "all rows contain "+text, func() bool {
		rows := l.rows()
		for _, row := range rows {
			if !strings.Contains(row, text) {
				return false
			}
		}
		return len(rows) > 0
	})
}

func TestRunningTasksMoveLive(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		server := start(t, "-demo")
		p := in.open(t, server.dashboard)

		p.goesLive()
		bar := p.tasks("In progress").get("row", "send-newsletter").get("progressbar", "send-newsletter")
		if !read[bool](bar, `function() { return this.position === -1 }`) {
			t.Error("a task whose total is unknown has a bar that shows how far it is")
		}
		until(t, "the counts are the server's", func() bool {
			want := server.counts()
			got := counts{Running: p.count("Running"), Pending: p.count("Pending"), Failed: p.count("Failed"), Completed: p.count("Completed")}
			return got == want && got.Running > 0 && got.Failed > 0
		})

		p.visit("?q=" + server.waitFor("name=import-orders").ID) // no other task's end has this list asked for again
		row := p.tasks("In progress").get("row", "import-orders")
		row.shows("Running", "of 2,000 orders", "page ")
		bar = row.get("progressbar", "import-orders")
		moves, before, lists := 0, 0.0, 0
		until(t, "it moves twice without a list: by the stream", func() bool { // one list may be on its way
			now, _ := try[float64](bar, `function() { return this.value }`)
			asked := p.requests("tasks")
			if asked != lists {
				moves = 0
			} else if now > before {
				moves++
			}
			before, lists = now, asked
			return moves == 2
		})
	})
}

func TestFiltersAreInTheURL(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		server := start(t, "-demo")
		panicked := server.waitFor("name=charge-card&status=failed")
		p := in.open(t, server.dashboard)

		p.statuses().get("link", "Failed").click()
		p.tasks("Failed").onlyShows("Failed")
		p.tasks("In progress").disappears()
		if status := p.query().Get("status"); status != "failed" {
			t.Errorf("the URL says status %q", status)
		}
		p.search("charge-card")
		p.tasks("Failed").onlyShows("charge-card")

		p.visit("?" + p.query().Encode()) // a bookmark
		p.tasks("Failed").onlyShows("charge-card")
		if value := read[string](p.searchField(), `function() { return this.value }`); value != "charge-card" {
			t.Errorf("the search field says %q", value)
		}
		current := p.statuses().get("link", "Failed")
		if !read[bool](current, `function() { return this.ariaCurrent !== null }`) {
			t.Errorf("the %v is not marked as the current one", current)
		}

		p.statuses().get("link", "All").click()
		p.search(panicked.ID)
		p.tasks("Finished").onlyShows("charge-card")
		if rows := p.tasks("Finished").rows(); len(rows) != 1 {
			t.Errorf("an ID brings %d rows", len(rows))
		}
		customer := "customer=" + panicked.Metadata["customer"]
		p.search(customer)
		p.tasks("Finished").onlyShows(customer)

		p.search("no-such-task")
		p.tasks("In progress").shows("matches")
		p.tasks("Finished").shows("matches", "no-such-task")
	})
}

func TestEmptyPageSaysWhy(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		server := start(t)
		p := in.open(t, server.dashboard)

		p.shows("No tasks yet")
		p.search("checksum")
		p.tasks("In progress").shows("matches")
		if text := p.text(); strings.Contains(text, "No tasks yet") {
			t.Error("a filter that matches nothing looks like an application without tasks")
		}

		var created task
		server.do(http.MethodPost, "/checksums", &created)
		p.tasks("Finished").onlyShows("checksum") // by itself
		p.get("link", "Clear").click()
		p.tasks("Finished").onlyShows("checksum")
		if strings.Contains(p.text(), "No tasks yet") {
			t.Error("the page says that there are no tasks, and shows one")
		}
	})
}
