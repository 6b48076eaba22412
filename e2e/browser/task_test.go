package browser_test

import (
	"slices"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func TestDetailsOfAFailure(t *testing.T) {
	t.Parallel()
	server := start(t, "-demo")
	panicked := server.waitFor("name=charge-card&status=failed")
	failed := server.waitFor("name=sync-inventory&status=failed")
	p := open(t, server.dashboard)
	p.allowClipboard()

	panicked = server.task(panicked.ID) // lists have no stack
	p.visit("?status=failed&q=" + panicked.ID)
	p.tasks("Failed").get("link", "charge-card").click()
	dialog := p.get("dialog", "charge-card")
	dialog.shows("Failed", "Panic", "index out of range [0] with length 0", "Stack", "demo.go", panicked.ID,
		"Timeline", "Submitted", "Started", "Metadata", "customer", panicked.Metadata["customer"])
	dialog.get("button", "Copy stack").click()
	dialog.shows("Copied")
	if copied := eval[string](p, `navigator.clipboard.readText()`); copied != panicked.Error.Stack || copied == "" {
		t.Errorf("copied is not the stack, but %q", copied)
	}
	p.press(escape)
	dialog.disappears()
	if p.query().Has("task") {
		t.Error("the URL still names the task")
	}
	if focus := eval[string](p, `document.activeElement.innerText`); focus != "charge-card" {
		t.Errorf("the focus is not back on the link, but on %q", focus)
	}

	p.visit("?task=" + failed.ID)
	dialog = p.get("dialog", "sync-inventory")
	dialog.shows("Failed", "Error", "inventory service: GET /v2/stock: 502 Bad Gateway", "Timeline", "Metadata", failed.Metadata["region"])
	if strings.Contains(dialog.text(), "Stack") {
		t.Error("an error that has no stack shows one")
	}
}

// allowClipboard lets the test read the clipboard. The page may only write it, on a click.
func (p *page) allowClipboard() {
	p.t.Helper()
	run(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	_, err := chromedp.CallBrowser(p.chromium(), cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission: &cdpbrowser.PermissionDescriptor{Name: "clipboard-read"},
		Setting:    cdpbrowser.PermissionSettingGranted,
		Origin:     eval[string](p, `origin`),
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestCancellingIsNotCancelled cancels a task that takes no notice of it. It has to be quick, since
// the task times out by itself: then it tries another one.
func TestCancellingIsNotCancelled(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		const reason = "the customer has left"
		server := start(t, "-demo")
		p := in.open(t, server.dashboard)

		var asked task
		for asked.ID == "" {
			p.get("button", "Cancel legacy-export").click()
			dialog := p.get("dialog", "Cancel “legacy-export”?")
			dialog.get("textbox", "Reason").fill(reason)
			dialog.get("button", "Cancel task").click()
			dialog.disappears()
			p.shows("“legacy-export” ") // has been asked to end, or had ended
			for _, task := range server.list("name=legacy-export") {
				if task.Cancel != nil && task.Cancel.Reason == reason {
					asked = task
				}
			}
		}

		p.visit("?q=" + asked.ID)
		row := p.tasks("In progress").get("row", "legacy-export")
		row.shows("Cancelling", reason)
		if !row.get("button", "Cancel").isGone() {
			t.Error("it can be cancelled again")
		}
		p.get("link", "legacy-export").click()
		dialog := p.get("dialog", "legacy-export")
		dialog.shows("Cancelling", "Asked to end", reason)
		until(t, "it has returned", func() bool {
			text := dialog.text()
			done := server.task(asked.ID).Done
			if !done && !strings.Contains(text, "Cancelling") {
				t.Fatalf("it still runs, and the page says\n%s", text)
			}
			return done
		})
		dialog.shows("Cancelled", "remote closed the connection")
		p.press(escape)
		p.tasks("Finished").get("row", "legacy-export").shows("Cancelled")
	})
}

func TestCancelSeveral(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		server := start(t, "-demo")
		p := in.open(t, server.dashboard)
		names := []string{"import-orders", "send-newsletter"}
		var tasks []task
		for _, name := range names {
			tasks = append(tasks, server.waitFor("status=running&name="+name))
		}
		ended := func(task task) bool { return server.task(task.ID).Status == "cancelled" }

		for _, task := range tasks {
			p.get("checkbox", "Select "+task.Name+" …"+task.ID[len(task.ID)-8:]).click()
		}
		p.tasks("In progress").shows("2 selected")
		dialog := p.get("dialog", "Cancel 2 tasks?")
		p.get("button", "Cancel 2 tasks").click()
		dialog.shows(names...)
		dialog.get("button", "Leave as is").click()
		dialog.disappears()
		if slices.ContainsFunc(tasks, func(task task) bool { return server.task(task.ID).Cancel != nil }) {
			t.Fatal("tasks that were to be left as they are were cancelled")
		}
		p.get("button", "Cancel 2 tasks").click()
		dialog.get("button", "Cancel 2 tasks").click()
		p.shows("Asked 2 tasks to end.")
		until(t, "both are cancelled", func() bool { return ended(tasks[0]) && ended(tasks[1]) })
		p.statuses().get("link", "Cancelled").click()
		for _, task := range tasks {
			p.tasks("Cancelled").get("row", task.Name).shows("Cancelled")
		}
	})
}

func TestReadOnly(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		server := start(t, "-demo", "-read-only")
		running := server.waitFor("status=running&name=import-orders")
		p := in.open(t, server.dashboard)

		p.shows("read-only")
		p.tasks("In progress").get("row", "import-orders").shows("Running")
		lacksControls := func() {
			t.Helper()
			for _, control := range []locator{p.get("button", "Cancel"), p.get("checkbox", "")} {
				if !control.isGone() {
					t.Errorf("there is a %v", control)
				}
			}
		}
		lacksControls()
		p.tasks("In progress").get("link", "import-orders").click()
		p.get("dialog", "import-orders").shows("Running")
		lacksControls()

		if status := eval[int](p, `fetch('tasks/`+running.ID+`', { method: 'DELETE' }).then((answer) => answer.status)`); status != 403 {
			t.Errorf("DELETE: %d", status)
		}
		if server.task(running.ID).Cancel != nil {
			t.Error("a task was cancelled")
		}
	})
}
