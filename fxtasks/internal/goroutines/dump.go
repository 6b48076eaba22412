// Package goroutines finds the stacks of goroutines in a dump of all of them.
package goroutines

import (
	"iter"
	"runtime"
	"strings"
)

// Dump formats the stacks of all goroutines, as far as they fit into max bytes. The process stands still
// meanwhile, 10 to 50 µs for each goroutine.
func Dump(max int) []byte {
	// 16 KiB for each is more than most have. To try again with more room would stop the process twice.
	buf := make([]byte, min(1<<20+16<<10*runtime.NumGoroutine(), max))
	return buf[:runtime.Stack(buf, true)]
}

// Families returns, for each address that a root frame shows, the stack of that goroutine, then those of
// the goroutines that it started, and so on, separated by blank lines. Addresses are in hex, without 0x; all
// those of one goroutine have the same.
//
// Each of roots is the beginning of a frame up to the 0x of the address in its first argument, after a
// line feed: "\nexample.com/pkg.run(0x". Such a function must not be inlined, and must use the argument
// after the call that it hangs in, as runtime.KeepAlive does: otherwise its frame can show 0x0?.
//
// own begins the names of functions whose goroutines belong to nobody: "example.com/pkg.". A goroutine
// whose parent has ended belongs to nobody either.
//
// The alternative, a goroutine label with the address, costs each goroutine three allocations, and keeps
// profiles from aggregating.
func Families(dump []byte, roots []string, own string) map[string]string {
	goroutineOf := make(map[string]string) // by address: number of the goroutine that shows it
	stacks := make(map[string]string)      // by number of the goroutine
	children := make(map[string][]string)  // by number of the parent
	for stack := range strings.SplitSeq(strings.TrimSpace(string(dump)), "\n\n") {
		number, ok := numberOf(stack)
		if !ok {
			continue
		}
		stacks[number] = stack
		isRoot := false
		for address := range rootAddresses(stack, roots) {
			goroutineOf[address], isRoot = number, true
		}
		if isRoot {
			continue
		}
		if parent, ok := parentOf(stack, own); ok {
			children[parent] = append(children[parent], number)
		}
	}
	families := make(map[string]string, len(goroutineOf))
	byNumber := make(map[string]string) // families by number of the goroutine
	for address, number := range goroutineOf {
		if family, ok := byNumber[number]; ok {
			families[address] = family
			continue
		}
		var family []string
		for next := []string{number}; len(next) > 0; next = next[1:] {
			family = append(family, stacks[next[0]])
			next = append(next, children[next[0]]...)
			delete(children, next[0]) // ends cycles, which a garbled dump can have
		}
		byNumber[number] = strings.Join(family, "\n\n")
		families[address] = byNumber[number]
	}
	return families
}

func numberOf(stack string) (number string, ok bool) {
	rest, ok := strings.CutPrefix(stack, "goroutine ")
	if !ok {
		return "", false
	}
	number, _, ok = strings.Cut(rest, " ")
	return number, ok
}

// rootAddresses returns the address in each root frame of a stack. It has several where such a function has led
// to another.
func rootAddresses(stack string, roots []string) iter.Seq[string] {
	return func(yield func(hex string) bool) {
		for _, root := range roots {
			for _, rest, ok := strings.Cut(stack, root); ok; _, rest, ok = strings.Cut(rest, root) {
				end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
				if end > 0 && !yield(rest[:end]) {
					return
				}
			}
		}
	}
}

// parentOf returns the number of the goroutine that started this one.
func parentOf(stack, own string) (number string, ok bool) {
	_, by, ok := strings.Cut(stack, "\ncreated by ")
	if !ok || strings.HasPrefix(by, own) {
		return "", false
	}
	line, _, _ := strings.Cut(by, "\n")
	_, number, ok = strings.Cut(line, " in goroutine ")
	return number, ok
}
