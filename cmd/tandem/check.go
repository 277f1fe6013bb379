package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

// withAllChecks gives a --check of run without a value the value all.
func withAllChecks(args []string) []string {
	if len(args) < 2 || args[1] != "run" {
		return args
	}
	out := slices.Clone(args)
	for i, a := range out {
		if a != "--check" {
			continue
		}
		if i+1 < len(out) {
			if _, err := parseChecks(out[i+1]); err == nil {
				continue
			}
		}
		out[i] = "--check=all"
	}
	return out
}

// parseChecks reads a list of checks; all is every one of them.
func parseChecks(text string) ([]cuda.Check, error) {
	var out []cuda.Check
	for _, name := range strings.Split(text, ",") {
		switch c := cuda.Check(name); {
		case name == "all":
			out = append(out, cuda.AllChecks()...)
		case slices.Contains(cuda.AllChecks(), c):
			out = append(out, c)
		default:
			return nil, usage("--check %s: there is no check %q; there are memcheck, initcheck, racecheck, synccheck and all", text, name)
		}
	}
	return out, nil
}

// findings writes what the checks found, and returns an error if that is anything.
func (r *runner) findings(w io.Writer, dev *cuda.Device) error {
	n := 0
	for _, report := range dev.Reports() {
		fmt.Fprintln(w, report)
		n++
	}
	if slices.Contains(r.checks, cuda.Memcheck) {
		for _, leak := range dev.Leaks() {
			fmt.Fprintf(w, "memcheck: leak: %d bytes of the device heap: %s\n", leak.Bytes, leak.Site)
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("the checks found %d defects", n)
}

// writeCoverage writes the profile of --cover.
func (r *runner) writeCoverage(dev *cuda.Device) error {
	if r.cover == "" {
		return nil
	}
	return os.WriteFile(r.cover, []byte(cuda.CoverProfile(dev.Coverage())), 0o644)
}
