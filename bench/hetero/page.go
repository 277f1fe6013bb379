package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/tandem-go/tandem/hostpar/par"
)

// table is one part of the page of results.
type table struct {
	title, text string
	head        []string
	rows        [][]string
}

// table begins a part; text goes above its rows.
func (b *bench) table(title, text string, head ...string) *table {
	t := &table{title: title, text: text, head: head}
	b.tables = append(b.tables, t)
	fmt.Printf("\n%s\n%s\n", title, strings.Join(head, " | "))
	return t
}

// row adds a line, and prints it.
func (t *table) row(cells ...string) {
	t.rows = append(t.rows, cells)
	fmt.Println(strings.Join(cells, " | "))
}

// with is a figure and its interval.
func with(format string, v, lo, hi float64) string {
	return fmt.Sprintf(format+" ["+format+", "+format+"]", v, lo, hi)
}

// verdict counts a promise. On devices that stand in for others nothing is judged.
func (b *bench) verdict(ok bool) string {
	switch {
	case b.standIn:
		return "not judged"
	case ok:
		b.held++
		return "yes"
	}
	b.broken++
	return "**missed**"
}

const pageTop = `# One launch over two devices beside each alone

Written by ` + "`make bench-hetero`" + `, all in one run of [bench/hetero](../../bench/hetero). In each of %d rounds every configuration runs
once, in turn, and each round begins with another one; figures are medians, in brackets bootstrap intervals of 95 %% over the rounds.
A round is repeated, at most ten times, if two goroutines of plain Go did not run side by side right before and after it: %d rounds
were, and %d were kept all the same.

%s; %s, %d of %d logical processors; %s, %s/%s. Of %d promises %d hold.

**CPU + GPU split: not yet measured on hardware.** ` + "`make gpu`" + ` builds what does that: ` + "`bench_hetero -part gpu`" + `. Here all devices are on the
processors of one machine.
`

const pageEnd = `
## In virtual time

Balance under unlike speeds, noise, drift, wrong models, failures and hangs has exact tests, ` + "`go test ./hostpar/hetero/heterotest`" + `:
without noise the default policy ends within 1.0035 of the ideal for speeds of 1:1 to 1:300, and the same harness gives the published
policies their published results to 1 %. Bits and failures have tests in ` + "`hostpar/hetero`" + `; ` + "`make hetero-full`" + ` runs them with their full
counts.
`

// page writes the tables as a page.
func (b *bench) page(path string) error {
	var s strings.Builder
	t := par.ReadTopology()
	fmt.Fprintf(&s, pageTop, b.rounds, b.repeated, b.crowded, time.Now().UTC().Format(time.DateOnly), t.Model, t.Usable, t.Logical,
		runtime.Version(), runtime.GOOS, runtime.GOARCH, b.held+b.broken, b.held)
	for _, t := range b.tables {
		fmt.Fprintf(&s, "\n## %s\n\n%s\n\n| %s |\n|%s\n", t.title, t.text, strings.Join(t.head, " | "), strings.Repeat("---|", len(t.head)))
		for _, r := range t.rows {
			fmt.Fprintf(&s, "| %s |\n", strings.Join(r, " | "))
		}
	}
	s.WriteString(pageEnd)
	return os.WriteFile(path, []byte(s.String()), 0o644)
}
