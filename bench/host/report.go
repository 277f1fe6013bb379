package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// measurement is what was measured of one kernel.
type measurement struct {
	Kernel string `json:"kernel"`
	// Engines are what executed it, one for each column of Tandem.
	Engines []string `json:"engines"`
	// Median is milliseconds by column; pocl_best is the best of PoCL's methods, which PoCLBest names.
	Median   map[string]float64 `json:"median_ms"`
	PoCLBest string             `json:"pocl_best"`
	// Ratio is how many times longer a column takes than Tandem: the median of the ratios of the rounds.
	Ratio map[string]float64 `json:"ratio"`
	// Inside is what the engines for machine code tell of the kernel, by column; the reference engine is not among them.
	Inside map[string]*facts `json:"inside,omitempty"`
	// Flops and Bytes are the arithmetic of one launch and the memory that it has to move at least.
	Flops  float64              `json:"flops"`
	Bytes  float64              `json:"bytes"`
	Rounds map[string][]float64 `json:"rounds_ms"`
	Failed map[string]string    `json:"failed,omitempty"`
}

// summarise makes medians and ratios of the rounds.
func (m *measurement) summarise() {
	m.Median, m.Ratio = map[string]float64{}, map[string]float64{}
	if m.PoCLBest != "" {
		if d := m.Rounds["pocl"]; len(d) > 0 && median(d) < median(m.Rounds[m.PoCLBest]) {
			m.PoCLBest = "pocl"
		}
		m.Rounds["pocl_best"] = m.Rounds[m.PoCLBest]
	}
	base := m.Rounds["tandem"]
	for name, rounds := range m.Rounds {
		m.Median[name] = median(rounds)
		if len(base) != len(rounds) {
			continue
		}
		var ratios []float64
		for i := range rounds {
			ratios = append(ratios, rounds[i]/base[i])
		}
		m.Ratio[name] = median(ratios)
	}
}

// line is the kernel's line of the table.
func (m *measurement) line() string {
	var s strings.Builder
	fmt.Fprintf(&s, "kernel=%s", m.Kernel)
	field := func(key string, v float64, ok bool, format string) {
		if !ok {
			fmt.Fprintf(&s, " %s=-", key)
			return
		}
		fmt.Fprintf(&s, " %s="+format, key, v)
	}
	for _, c := range []string{"tandem", "pocl", "pocl_best", "c", "c_bestalgo", "go"} {
		v, ok := m.Median[c]
		field(c+"_ms", v, ok, "%.3f")
	}
	field("escaped", m.Inside["tandem"].escaped(), true, "%.4f")
	for _, c := range []string{"pocl", "pocl_best", "c", "c_bestalgo", "go"} {
		v, ok := m.Ratio[c]
		if c == "c" || c == "c_bestalgo" {
			field("times_"+c, 1/v, ok, "%.2f") // as long as C
		} else {
			field("vs_"+c, v, ok, "%.2f") // times faster
		}
	}
	fmt.Fprintf(&s, " pocl_method=%s engine=%s", m.method(), strings.Join(m.Engines, ","))
	for _, name := range slices.Sorted(maps.Keys(m.Median)) {
		if e, ok := strings.CutPrefix(name, "tandem_"); ok {
			times, peer := m.beside(name)
			field(e+"_ms", m.Median[name], true, "%.3f")
			field(e+"_vs_pocl_best", times, peer, "%.2f")
			if f := m.Inside[name]; f != nil {
				field(e+"_escaped", f.escaped(), true, "%.4f")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Failed)) {
		fmt.Fprintf(&s, " failed:%s=%q", name, m.Failed[name])
	}
	return s.String()
}

func (m *measurement) method() string {
	switch m.PoCLBest {
	case "":
		return "-"
	case "pocl":
		return "default"
	}
	return strings.TrimPrefix(m.PoCLBest, "pocl_")
}

// report is the result of a run.
type report struct {
	Time      string             `json:"time"`
	CPU       string             `json:"cpu"`
	Threads   int                `json:"threads"`
	Go        string             `json:"go"`
	Rounds    int                `json:"rounds"`
	Seed      uint64             `json:"seed"`
	LeftOut   map[string]string  `json:"left_out,omitempty"`
	Limits    *limits            `json:"limits"`
	Kernels   []*measurement     `json:"kernels"`
	Geometric map[string]float64 `json:"geometric_mean"`
}

func newReport(o options) (*report, error) {
	r := &report{LeftOut: map[string]string{}}
	if o.merge != "" {
		text, err := os.ReadFile(o.merge)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		if err == nil {
			if err := json.Unmarshal(text, r); err != nil {
				return nil, fmt.Errorf("%s: %w", o.merge, err)
			}
		}
	}
	if len(o.kernels) > 0 {
		r.Time, r.Threads, r.Go = time.Now().UTC().Format("2006-01-02"), runtime.GOMAXPROCS(0), runtime.Version()
		r.Rounds, r.Seed, r.CPU = o.rounds, o.seed, cpu()
	}
	return r, nil
}

// cpu is the model of the processor.
func cpu() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				return strings.TrimSpace(v)
			}
		}
	}
	return runtime.GOARCH
}

func (r *report) leaveOut(name string, why error) { r.LeftOut[name] = why.Error() }

// add puts a measurement in place of an older one.
func (r *report) add(m *measurement) {
	if i := slices.IndexFunc(r.Kernels, func(o *measurement) bool { return o.Kernel == m.Kernel }); i >= 0 {
		r.Kernels[i] = m
		return
	}
	r.Kernels = append(r.Kernels, m)
}

// finish sorts the kernels as the table of kernels is, and makes the means.
func (r *report) finish() {
	order := names(kernels)
	slices.SortStableFunc(r.Kernels, func(a, b *measurement) int {
		return slices.Index(order, a.Kernel) - slices.Index(order, b.Kernel)
	})
	sums, counts := map[string]float64{}, map[string]float64{}
	for _, m := range r.Kernels {
		for name, v := range m.Ratio {
			sums[name] += math.Log(v)
			counts[name]++
		}
		if times, ok := m.beside("tandem_jit_avx2"); ok {
			sums["avx2_pocl_best"] += math.Log(times)
			counts["avx2_pocl_best"]++
		}
	}
	r.Geometric = map[string]float64{}
	for name, s := range sums {
		r.Geometric[name] = math.Exp(s / counts[name])
	}
}

func (r *report) print(w io.Writer) {
	for _, m := range r.Kernels {
		fmt.Fprintln(w, m.line())
	}
	fmt.Fprintf(w, "geometric means over %d kernels:", len(r.Kernels))
	for _, c := range []string{"pocl", "pocl_best", "c", "c_bestalgo", "go", "avx2_pocl_best"} {
		v, ok := r.Geometric[c]
		switch {
		case !ok:
		case c == "c" || c == "c_bestalgo":
			fmt.Fprintf(w, " times_%s=%.2f", c, 1/v)
		default:
			fmt.Fprintf(w, " vs_%s=%.2f", c, v)
		}
	}
	fmt.Fprintln(w)
	r.figures(w)
	for _, name := range slices.Sorted(maps.Keys(r.LeftOut)) {
		fmt.Fprintf(w, "left out: %s: %s\n", name, r.LeftOut[name])
	}
}

// compiling says how long 1,000 PTX instructions take to compile, over all kernels, cold and warm, and which share of the former
// another block size takes; "" without kernels.
func (r *report) compiling(column string) string {
	var n int
	var cold, warm, again float64
	for _, m := range r.Kernels {
		if f := m.Inside[column]; f != nil {
			n += f.Instructions
			cold += f.CompileMS
			warm += f.WarmMS
			again += f.SecondMS
		}
	}
	if n == 0 {
		return ""
	}
	text := fmt.Sprintf("%.2f ms for 1,000 PTX instructions, cold: each compiled after a garbage collection (asked: ≤ 3)", cold/float64(n)*1e3)
	if warm > 0 { // else of a report that has none
		text += fmt.Sprintf("; %.2f warm: one after the other, without collections", warm/float64(n)*1e3)
	}
	return text + fmt.Sprintf("; another block size takes %.0f %% of the cold time (asked: ≤ 30 %%)", 100*again/cold)
}

// polls is the least number of returns to Go in a millisecond, the kernel that has it, and the greatest 99th percentile of
// the microseconds between two, of any kernel.
func (r *report) polls(column string) (least float64, kernel string, gap float64) {
	for _, m := range r.Kernels {
		f := m.Inside[column]
		if f == nil || f.PollsPerMS == 0 { // of a report that has none
			continue
		}
		if kernel == "" || f.PollsPerMS < least {
			least, kernel = f.PollsPerMS, m.Kernel
		}
		gap = max(gap, f.GapUS)
	}
	return least, kernel, gap
}

// tandems are the columns of Tandem.
func (r *report) tandems() (out []string) {
	for _, m := range r.Kernels {
		for name := range m.Median {
			if strings.HasPrefix(name, "tandem") && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// figures prints what is not a ratio of kernels.
func (r *report) figures(w io.Writer) {
	for _, column := range r.tandems() {
		if text := r.compiling(column); text != "" {
			fmt.Fprintf(w, "compile, %s: %s\n", column, text)
		}
		if least, kernel, gap := r.polls(column); kernel != "" {
			fmt.Fprintf(w, "polls, %s: at least %.0f in a millisecond (%s), 99 of 100 within %.0f us\n", column, least, kernel, gap)
		}
	}
	l := r.Limits
	if l == nil {
		return
	}
	fmt.Fprint(w, "launch of 32 blocks:")
	for _, name := range slices.Sorted(maps.Keys(l.LaunchUS)) {
		fmt.Fprintf(w, " %s_us=%.1f", name, l.LaunchUS[name])
	}
	fmt.Fprintf(w, "\nlimits: copy %.1f GB/s, without reading first %.1f GB/s, peak %.0f GFLOP/s\n", l.CopyGBs, l.StreamGBs, l.PeakGflops)
}

func (r *report) save(file string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
