package fxtasks

import (
	"fmt"
	"runtime"
	"strings"
)

// These bound what a dump of all stacks costs: 10 to 50 µs for each goroutine, during which the
// process stands still, and memory.
const (
	maxStackGoroutines = 20_000
	maxDump            = 64 << 20
)

const enginePackage = "github.com/fxtasks/background/fxtasks."

// taskFrames begin the lines of a traceback that show a function whose first argument is a task that
// is being run, and with it the task's address.
var taskFrames = []string{
	"\n" + enginePackage + "call(0x",
	"\n" + enginePackage + "(*Task).logEnd(0x",
}

// stacksOf gives for each task the stack of its goroutine, then those of the goroutines that this
// one started, and so on. Tasks that do not run now are left out.
//
// It reads them off a dump of all goroutines. The alternative, a goroutine label with the task's
// ID, would cost every task three allocations, and keep profiles from aggregating.
//
// A goroutine whose parent has ended has no task. One that a task left behind on a goroutine that
// then ran a queued task counts as that one's.
func stacksOf(tasks []*Task) map[*Task]string {
	stacks := make(map[*Task]string, len(tasks))
	if len(tasks) == 0 {
		return stacks
	}
	if n := runtime.NumGoroutine(); n > maxStackGoroutines {
		for _, t := range tasks {
			stacks[t] = fmt.Sprintf("stack left out: %d goroutines, at most %d are dumped", n, maxStackGoroutines)
		}
		return stacks
	}

	roots := make(map[string]string) // address of a task, in hex: its goroutine's number
	blocks := make(map[string]string)
	children := make(map[string][]string)
	for block := range strings.SplitSeq(string(dumpAll()), "\n\n") {
		id, _, _ := strings.Cut(strings.TrimPrefix(block, "goroutine "), " ")
		blocks[id] = block
		if address, ok := taskAddress(block); ok {
			roots[address] = id
		} else if parent, ok := parentOf(block); ok {
			children[parent] = append(children[parent], id)
		}
	}
	for _, t := range tasks {
		root, ok := roots[strings.TrimPrefix(fmt.Sprintf("%p", t), "0x")]
		if !ok {
			continue
		}
		var family []string
		for next := []string{root}; len(next) > 0; next = next[1:] {
			family = append(family, blocks[next[0]])
			next = append(next, children[next[0]]...)
		}
		stacks[t] = strings.Join(family, "\n\n")
	}
	return stacks
}

// dumpAll formats the stacks of all goroutines, as far as there is room: 16 KiB for each is more than
// most have. To try again with more room would let the process stand still again.
func dumpAll() []byte {
	buf := make([]byte, min(1<<20+16<<10*runtime.NumGoroutine(), maxDump))
	return buf[:runtime.Stack(buf, true)]
}

// taskAddress gives the address of the task that a goroutine runs, as its traceback shows it.
func taskAddress(block string) (hex string, ok bool) {
	for _, frame := range taskFrames {
		_, rest, ok := strings.Cut(block, frame)
		end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
		if ok && end >= 0 {
			return rest[:end], true
		}
	}
	return "", false
}

// parentOf gives the number of the goroutine that started this one. The engine's own goroutines
// have none: a task that submits another has not started its goroutine.
func parentOf(block string) (id string, ok bool) {
	_, by, ok := strings.Cut(block, "\ncreated by ")
	if !ok || strings.HasPrefix(by, enginePackage) {
		return "", false
	}
	line, _, _ := strings.Cut(by, "\n")
	_, id, ok = strings.Cut(line, " in goroutine ")
	return id, ok
}
