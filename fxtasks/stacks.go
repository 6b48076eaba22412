package fxtasks

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/fxtasks/background/fxtasks/internal/goroutines"
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
	"\n" + enginePackage + "endAttempt(0x",
	"\n" + enginePackage + "runHere(0x",
}

// stacksOf returns for each task the stack of its goroutine, then those of the goroutines that this
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
	families := goroutines.Families(goroutines.Dump(maxDump), taskFrames, enginePackage)
	for _, t := range tasks {
		if stack, ok := families[strings.TrimPrefix(fmt.Sprintf("%p", t), "0x")]; ok {
			stacks[t] = stack
		}
	}
	return stacks
}
