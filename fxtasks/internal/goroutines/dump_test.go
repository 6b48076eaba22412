package goroutines

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const own = "example.com/engine."

var roots = []string{"\n" + own + "call(0x", "\n" + own + "(*Task).logEnd(0x"}

func stack(number int, frame string, createdBy string) string {
	s := fmt.Sprintf("goroutine %d [chan receive, 2 minutes]:\nmain.waits(...)\n\t/main.go:1\n%s\n\t/main.go:2 +0x1", number, frame)
	if createdBy != "" {
		s += "\ncreated by " + createdBy + "\n\t/main.go:3 +0x2"
	}
	return s
}

func TestFamilies(t *testing.T) {
	var (
		task       = stack(7, own+"call(0xc000123abc, 0x1)", own+"start in goroutine 1")
		child      = stack(8, "main.child(0x1)", "main.work in goroutine 7")
		grandchild = stack(9, "main.grandchild()", "main.child.func1 in goroutine 8")
		logging    = stack(10, own+"(*Task).logEnd(0xc000456def?)", own+"start in goroutine 7") // not a child of 7
		generic    = stack(11, own+"call[...](0xc000789)", "main.work in goroutine 2")          // not a root here
		orphan     = stack(12, "main.orphan()", "main.gone in goroutine 99")
		nested     = stack(14, own+"(*Task).logEnd(0xc000001)\n\t/main.go:4\n"+own+"call(0xc000002)\n\t/main.go:5\n"+own+"call(0xc000003)", "")
		ofNested   = stack(15, "main.child(0x1)", "main.work in goroutine 14")
		helper     = stack(13, own+"wait()", own+"watch in goroutine 7")
		first      = stack(1, "main.main()", "")
	)
	dump := strings.Join([]string{first, grandchild, child, orphan, logging, generic, helper, task, nested, ofNested}, "\n\n") + "\n"
	got := Families([]byte(dump), roots, own)
	want := map[string]string{
		"c000123abc": strings.Join([]string{task, child, grandchild}, "\n\n"),
		"c000456def": logging,
		"c000001":    nested + "\n\n" + ofNested,
		"c000002":    nested + "\n\n" + ofNested,
		"c000003":    nested + "\n\n" + ofNested,
	}
	if !maps.Equal(got, want) {
		t.Errorf("Families gave %q, want %q", got, want)
	}
}

func TestFamiliesOfADumpThatWasCutOff(t *testing.T) {
	dump := stack(7, own+"call(0xc000123abc, 0x1)", own+"start in goroutine 1") + "\n\n" + stack(8, "main.child(0x1)", "main.work in goroutine 7")
	for length := range dump {
		for address, family := range Families([]byte(dump[:length]), roots, own) {
			if !strings.HasPrefix("c000123abc", address) || !strings.HasPrefix(dump, family) {
				t.Errorf("of %d bytes, %s has the stack %q", length, address, family)
			}
		}
	}
}

type record struct{ open, arrived chan struct{} }

//go:noinline
func runs(r *record, work func(*record)) {
	work(r)
	runtime.KeepAlive(r)
}

//go:noinline
func startsChild(r *record) {
	go waitsInChild(r)
	waits(r)
}

//go:noinline
func waitsInChild(r *record) { waits(r) }

//go:noinline
func waits(r *record) {
	r.arrived <- struct{}{}
	<-r.open
}

// This pins the format of tracebacks: a new version of Go that changes it breaks the test.
func TestFamiliesOfRealGoroutines(t *testing.T) {
	const pkg = "github.com/fxtasks/background/fxtasks/internal/goroutines."
	var wg sync.WaitGroup
	records := []*record{}
	for range 2 {
		r := &record{open: make(chan struct{}), arrived: make(chan struct{})}
		records = append(records, r)
		wg.Go(func() { runs(r, startsChild) })
		for range 2 {
			<-r.arrived
		}
	}
	families := Families(Dump(64<<20), []string{"\n" + pkg + "runs(0x"}, "sync.(*WaitGroup).Go")
	for _, r := range records {
		close(r.open)
	}
	wg.Wait()
	if len(families) != len(records) {
		t.Fatalf("%d families, want %d: %q", len(families), len(records), families)
	}
	for _, r := range records {
		parts := strings.Split(families[strings.TrimPrefix(fmt.Sprintf("%p", r), "0x")], "\n\n")
		if len(parts) != 2 || !strings.Contains(parts[0], "startsChild(") || !strings.Contains(parts[1], "waitsInChild(") {
			t.Errorf("the family of %p is %q", r, parts)
		}
	}
}

func TestDumpIsNotLongerThanItMayBe(t *testing.T) {
	if n := len(Dump(100)); n != 100 {
		t.Errorf("Dump(100) has %d bytes", n)
	}
	if dump := string(Dump(1 << 20)); !strings.HasPrefix(dump, "goroutine ") || !strings.Contains(dump, t.Name()) {
		t.Errorf("Dump gave %q", dump)
	}
}

func FuzzFamilies(f *testing.F) {
	f.Add(Dump(1 << 16))
	f.Add([]byte(stack(7, own+"call(0xc000123abc, 0x1)", own+"start in goroutine 1") + "\n\n" + stack(8, "main.child()", "main.work in goroutine 7")))
	// A cycle: two stacks with one number.
	f.Add([]byte(stack(7, own+"call(0xc0)", "") + "\n\n" + stack(8, "main.a()", "main.b in goroutine 7") + "\n\n" + stack(8, "main.a()", "main.b in goroutine 8")))
	f.Add([]byte("goroutine 1\ngoroutine "))
	f.Fuzz(func(t *testing.T, dump []byte) {
		for address, family := range Families(dump, roots, own) {
			first, _, _ := strings.Cut(family, "\n\n")
			if !strings.HasPrefix(family, "goroutine ") || !strings.Contains(string(dump), first) {
				t.Errorf("%s has the stack %q, which the dump does not have", address, family)
			}
			if !slices.ContainsFunc(roots, func(root string) bool { return strings.Contains(string(dump), root+address) }) {
				t.Errorf("no root shows %s", address)
			}
		}
	})
}

func BenchmarkFamilies(b *testing.B) { // of 10,000 goroutines
	var dump strings.Builder
	for n := range 10_000 {
		dump.WriteString(stack(n, fmt.Sprintf("%scall(0xc%09x, 0x1)", own, n), own+"start in goroutine 1") + "\n\n")
	}
	for b.Loop() {
		Families([]byte(dump.String()), roots, own)
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/10_000, "ns/goroutine")
}
