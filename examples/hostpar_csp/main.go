// Command hostpar_csp prints Fibonacci numbers from a ring of processes, then poisons it; and counts the words of a
// text with workers that retire when there is none left.
//
// PyCSP's examples show networks of Prefix, Delta and Pairs, and poison and retire.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/hostpar/csp"
)

func main() {
	n := flag.Int("n", 20, "how many Fibonacci numbers")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *n); err != nil {
		fmt.Fprintln(os.Stderr, "hostpar_csp:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, n int) error {
	if err := fibonacci(ctx, w, n); err != nil {
		return err
	}
	return words(ctx, w, "a rose is a rose is a rose", 3)
}

// fibonacci: the two prefixes start the ring with 0 and 1; delta copies each number to the printer and to pairs, which
// sends the sum of two neighbours around again.
func fibonacci(ctx context.Context, w io.Writer, n int) error {
	first, second := csp.New[int](csp.Config{}), csp.New[int](csp.Config{})
	sums, copies, numbers := csp.New[int](csp.Config{}), csp.New[int](csp.Config{}), csp.New[int](csp.Config{})
	in := numbers.In()
	return csp.Par(ctx,
		csp.Prefix(sums.In(), first.Out(), 1),
		csp.Prefix(first.In(), second.Out(), 0),
		csp.Delta(second.In(), copies.Out(), numbers.Out()),
		csp.Pairs(copies.In(), sums.Out(), func(a, b int) int { return a + b }),
		csp.Proc(func(ctx context.Context) error {
			for range n {
				x, err := in.Read(ctx)
				if err != nil {
					return err
				}
				fmt.Fprint(w, x, " ")
			}
			fmt.Fprintln(w)
			return csp.ErrPoisoned // enough: this spreads through the ring
		}, in),
	)
}

// words: one reader, several counters, one that adds up; each ends when those before it have.
func words(ctx context.Context, w io.Writer, text string, counters int) error {
	todo, counted := csp.New[string](csp.Config{}), csp.New[map[string]int](csp.Config{})
	out, in := todo.Out(), counted.In()
	ps := []csp.Process{csp.Proc(func(ctx context.Context) error {
		for word := range strings.FieldsSeq(text) {
			if err := out.Write(ctx, word); err != nil {
				return err
			}
		}
		return nil // retires out
	}, out)}
	for range counters {
		in, out := todo.In(), counted.Out()
		ps = append(ps, csp.Proc(func(ctx context.Context) error {
			counts := map[string]int{}
			for {
				word, err := in.Read(ctx)
				if err != nil { // no words any more: hand in what was counted
					return out.Write(ctx, counts)
				}
				counts[word]++
			}
		}, in, out))
	}
	totals := map[string]int{}
	ps = append(ps, csp.Proc(func(ctx context.Context) error {
		for {
			counts, err := in.Read(ctx)
			if err != nil {
				return err
			}
			for word, n := range counts {
				totals[word] += n
			}
		}
	}, in))
	if err := csp.Par(ctx, ps...); err != nil {
		return err
	}
	for _, word := range slices.Sorted(maps.Keys(totals)) {
		fmt.Fprintln(w, word, totals[word])
	}
	return nil
}
