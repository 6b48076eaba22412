// Command benchmarks runs this library side by side with what people write by hand and with other
// libraries, and writes docs/benchmarks.md and its chart. From the root of the repository:
//
//	go run ./benchmarks
//
// To compare two versions of the library, build this program at the first and run it at the second:
//
//	go build -o /tmp/before ./benchmarks
//	go run ./benchmarks -against /tmp/before
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	switch err := run(os.Args[1:], full, os.Stdout); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

func run(args []string, n sizes, out io.Writer) error {
	flags := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	rounds := flags.Int("rounds", 9, "samples of each contender of a row")
	only := flags.String("only", "", "run only the rows whose key matches this regular expression, and write nothing")
	dir := flags.String("out", "docs", "directory to write into")
	against := flags.String("against", "", "compare only with this program, an earlier build of this one, and write nothing")
	sample := flags.String("sample", "", "print one sample of KEY/CONTENDER, such as submit/raw, and do nothing else")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *sample != "" {
		return printSample(out, rows(n), *sample)
	}
	if *rounds < 1 {
		return fmt.Errorf("-rounds is %d: must be at least 1", *rounds)
	}
	chosen, err := choose(rows(n), *only)
	if err != nil {
		return err
	}
	writes := *only == "" && *against == ""
	if writes { // now, not after some minutes
		if info, err := os.Stat(*dir); err != nil || !info.IsDir() {
			return fmt.Errorf("-out is %q, which is no directory: run this from the root of the repository", *dir)
		}
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}

	sampled := inProcess(program)
	if *against != "" {
		if _, err := exec.LookPath(*against); err != nil {
			return fmt.Errorf("-against: %w", err)
		}
		for i, r := range chosen {
			chosen[i] = r.againstBefore()
		}
		sampled = besides(sampled, inProcess(*against))
	}

	rep := report{rounds: *rounds}
	var here machine
	fmt.Fprint(out, header)
	for _, r := range chosen {
		res, err := r.measure(*rounds, here.watched(sampled))
		if err != nil {
			return err
		}
		res.print(out)
		rep.results = append(rep.results, res)
	}
	reached, goals := rep.tally()
	fmt.Fprintf(out, "\n%d of %d goals are reached\n", reached, goals)
	if rep.share = here.share(); rep.share < quiet {
		fmt.Fprintf(out, "the figures mislead: other programs took %.0f %% of the processors\n", 100*(1-rep.share))
	}
	if !writes {
		return nil
	}
	return errors.Join(
		write(filepath.Join(*dir, "benchmarks.md"), rep.writePage),
		write(filepath.Join(*dir, chartFile), rep.writeChart),
	)
}

// choose gives the rows whose key matches the expression.
func choose(all []row, expression string) ([]row, error) {
	matching, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	var keys []string
	for _, r := range all {
		keys = append(keys, r.key)
	}
	chosen := slices.DeleteFunc(all, func(r row) bool { return !matching.MatchString(r.key) })
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-only is %q, which matches none of %s", expression, strings.Join(keys, ", "))
	}
	return chosen, nil
}

// printSample is what inProcess runs.
func printSample(out io.Writer, all []row, which string) error {
	key, name, _ := strings.Cut(which, "/")
	i := slices.IndexFunc(all, func(r row) bool { return r.key == key })
	if i < 0 {
		return fmt.Errorf("-sample is %q: there is no such row", which)
	}
	c, err := all[i].contender(name)
	if err != nil {
		return fmt.Errorf("-sample is %q: %w", which, err)
	}
	_, err = fmt.Fprintln(out, c.sample())
	return err
}

func write(path string, content func(w io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(content(f), f.Close())
}
