package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// The page of results has the measured parts between these lines; the rest is written by hand.
const (
	documentBegin = "<!-- measured: written by bench/host, see below -->"
	documentEnd   = "<!-- end of the measured part -->"
)

// document replaces the measured part of a page.
func (r *report) document(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), documentBegin)
	_, after, ok2 := strings.Cut(rest, documentEnd)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no measured part", file)
	}
	var s strings.Builder
	s.WriteString(before + documentBegin + "\n\n")
	r.markdown(&s)
	s.WriteString("\n" + documentEnd + after)
	return os.WriteFile(file, []byte(s.String()), 0o644)
}

// markdown writes what was measured as tables.
func (r *report) markdown(w io.Writer) {
	fmt.Fprintf(w, "Machine: %s, %d threads, %s; %s; at least %d rounds, seed %d.\n\n", r.CPU, r.Threads, r.Go, r.Time, r.rounds(), r.Seed)
	if l := r.Limits; l != nil {
		fmt.Fprintf(w, "Limits measured in the same run: copy %.1f GB/s (stores that do not read first: %.1f GB/s), fused multiply-adds %.0f GFLOP/s.\n\n",
			l.CopyGBs, l.StreamGBs, l.PeakGflops)
	}
	r.times(w)
	r.ratios(w)
	r.engineFacts(w)
}

// rounds is the least number of rounds that a kernel was measured in: a report may be made of several runs.
func (r *report) rounds() int {
	least := r.Rounds
	for _, m := range r.Kernels {
		least = min(least, len(m.Rounds["tandem"]))
	}
	return least
}

// cell is a number, or a dash where there is none.
func cell(v float64, ok bool, format string) string {
	if !ok {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

func (r *report) times(w io.Writer) {
	columns := []string{"tandem", "tandem_jit_avx2", "pocl", "pocl_best", "c", "c_bestalgo", "go"}
	fmt.Fprintln(w, "Milliseconds a launch:")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| kernel | Tandem | AVX2 | PoCL | PoCL best | method | C | C best algorithm | Go | GFLOP/s | GB/s |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|")
	for _, m := range r.Kernels {
		fmt.Fprintf(w, "| %s ", m.Kernel)
		for _, c := range columns {
			v, ok := m.Median[c]
			fmt.Fprintf(w, "| %s ", cell(v, ok, "%.2f"))
			if c == "pocl_best" {
				fmt.Fprintf(w, "| %s ", m.method())
			}
		}
		t, ok := m.Median["tandem"]
		fmt.Fprintf(w, "| %s | %s |\n", cell(m.Flops/t/1e6, ok && m.Flops > 0, "%.1f"), cell(m.Bytes/t/1e6, ok && m.Bytes > 0, "%.1f"))
	}
	fmt.Fprintln(w)
}

// ratios writes what is asked beside what there is.
func (r *report) ratios(w io.Writer) {
	fmt.Fprintln(w, "Ratios, medians of the rounds' ratios. Bold: not what is asked.")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| kernel | faster than PoCL's best | asked | than its default | asked | AVX2: than PoCL's best | time of C, same algorithm | asked | of C, best | faster than Go | escaped |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|")
	for _, m := range r.Kernels {
		a := m.wanted()
		best, okBest := m.Ratio["pocl_best"]
		pocl, okPocl := m.Ratio["pocl"]
		c, okC := m.Ratio["c"]
		cBest, okCBest := m.Ratio["c_bestalgo"]
		goes, okGo := m.Ratio["go"]
		avx2, okAVX2 := m.beside("tandem_jit_avx2")
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", m.Kernel,
			judged(best, okBest, a.best, best >= a.best), asks(a.best, "≥"), judged(pocl, okPocl, a.pocl, pocl >= a.pocl), asks(a.pocl, "≥"),
			cell(avx2, okAVX2, "%.2f"), judged(1/c, okC, a.c, 1/c <= a.c), asks(a.c, "≤"), cell(1/cBest, okCBest, "%.2f"),
			cell(goes, okGo, "%.2f"), cell(100*m.Inside["tandem"].escaped(), m.Inside["tandem"] != nil, "%.2f %%"))
	}
	g := r.Geometric
	fmt.Fprintf(w, "| geometric mean | %s | ≥ 5 | %s | | %s | %s | ≤ 1.5 | %s | %s | |\n\n",
		judged(g["pocl_best"], g["pocl_best"] > 0, 5, g["pocl_best"] >= 5), cell(g["pocl"], g["pocl"] > 0, "%.2f"),
		judged(g["avx2_pocl_best"], g["avx2_pocl_best"] > 0, 3, g["avx2_pocl_best"] >= 3),
		judged(1/g["c"], g["c"] > 0, 1.5, 1/g["c"] <= 1.5), cell(1/g["c_bestalgo"], g["c_bestalgo"] > 0, "%.2f"), cell(g["go"], g["go"] > 0, "%.2f"))
}

// wanted is what is asked of the kernel, also after its report was read from a file.
func (m *measurement) wanted() asked {
	for _, k := range kernels {
		if k.name == m.Kernel {
			return k.asked
		}
	}
	return asked{}
}

// judged is a ratio, bold where it is not what is asked; asks is what that is.
func judged(v float64, ok bool, want float64, good bool) string {
	s := cell(v, ok, "%.2f")
	if ok && want > 0 && !good {
		return "**" + s + "**"
	}
	return s
}

func asks(v float64, sign string) string { return cell(v, v > 0, sign+" %g") }

func (r *report) engineFacts(w io.Writer) {
	fmt.Fprintln(w, "Compiling, from PTX to machine code, and launches:")
	fmt.Fprintln(w)
	for _, column := range r.tandems() {
		if text := r.compiling(column); text != "" {
			fmt.Fprintf(w, "- %s: %s.\n", column, text)
		}
		if least, kernel, gap := r.polls(column); kernel != "" {
			fmt.Fprintf(w, "- %s: returns to Go at least %.0f times in a millisecond (%s), 99 of 100 within %.0f µs on every kernel (asked: 1 ms).\n", column, least, kernel, gap)
		}
	}
	if r.Limits != nil {
		for _, name := range []string{"tandem", "pocl", "c", "go"} {
			if us, ok := r.Limits.LaunchUS[name]; ok {
				fmt.Fprintf(w, "- %s: launch of 32 blocks of 256 threads and the wait for it: %.1f µs.\n", name, us)
			}
		}
	}
	for name, why := range r.LeftOut {
		first, _, _ := strings.Cut(why, "\n")
		fmt.Fprintf(w, "- left out: %s: %s.\n", name, first)
	}
	for _, m := range r.Kernels {
		for name, why := range m.Failed {
			first, _, _ := strings.Cut(why, "\n")
			fmt.Fprintf(w, "- %s on %s: %s.\n", m.Kernel, name, first)
		}
	}
}
