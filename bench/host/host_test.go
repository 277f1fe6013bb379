package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine/jit"
)

// TestMain runs a worker when a test started this program as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-worker" {
		if err := run(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func small(k kernel, seed uint64) *problem { return k.problem(rand.New(rand.NewPCG(seed, 7)), true) }

// implementations are those that every machine has.
func implementations() map[string]func() implementation {
	all := map[string]func() implementation{
		"go":     func() implementation { return &plain{} },
		"interp": func() implementation { return &tandem{engine: "interp"} },
	}
	for _, name := range jit.Names() {
		if _, err := jit.Named(name); err == nil {
			all[name] = func() implementation { return &tandem{engine: name} }
		}
	}
	return all
}

// TestKernels: every kernel computes what is right, on Tandem's engines and in plain Go, as workers do it.
func TestKernels(t *testing.T) {
	for name, make := range implementations() {
		t.Run(name, func(t *testing.T) {
			im := make()
			for _, k := range kernels {
				p, dir := small(k, rand.Uint64()), t.TempDir()
				require.NoError(t, p.write(dir))
				require.Equal(t, []string{"ok", "ok", "ok", "ok"}, talk(t, im, "open "+dir, "check "+dir, "check "+dir, "close"), k.name)
				require.NoError(t, p.right(dir), k.name)
			}
		})
	}
}

// right is verify with the name of the kernel.
func (p *problem) right(dir string) error {
	if err := p.verify(dir); err != nil {
		return fmt.Errorf("%s: %w", p.kernel, err)
	}
	return nil
}

// talk gives commands to a worker and returns the first words of its answers.
func talk(t *testing.T, im implementation, commands ...string) (words []string) {
	var out bytes.Buffer
	require.NoError(t, serve(strings.NewReader(strings.Join(commands, "\n")), &out, im))
	for line := range strings.Lines(out.String()) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "error" {
			word = rest
		}
		words = append(words, word)
	}
	return words
}

// TestChecksCanFail: what nobody wrote, and a result with one wrong element, are refused.
func TestChecksCanFail(t *testing.T) {
	for _, k := range kernels {
		p := small(k, 3)
		got := map[int]any{}
		for _, o := range p.outputs {
			got[o] = p.buffers[o].fresh()
		}
		require.Error(t, p.check(got), "%s: the first contents", k.name)
		g := &plain{}
		require.NoError(t, g.open(p))
		require.NoError(t, g.run())
		for _, o := range p.outputs {
			got[o] = g.data[o]
		}
		require.NoError(t, p.check(got), k.name)
		for _, o := range p.outputs {
			spoil(got[o])
			if k.name != "mandelbrot" { // where few points may differ
				require.Error(t, p.check(got), "%s: a wrong element of buffer %d", k.name, o)
			}
		}
	}
}

// spoil makes the first element wrong by a thousandth, or by one.
func spoil(data any) {
	switch s := data.(type) {
	case []float32:
		s[0] += 1e-3*s[0] + 1e-3
	case []float64:
		s[0] += 1e-3*s[0] + 1e-3
	case []int32:
		s[0]++
	case []uint32:
		s[0]++
	}
}

// TestComparison measures some kernels with worker processes, as the command does.
func TestComparison(t *testing.T) {
	dir := t.TempDir()
	o := options{rounds: 3, ms: 1, small: true, seed: 5, engines: []string{"", "interp"}, json: filepath.Join(dir, "report.json"), out: io.Discard, progress: io.Discard}
	var err error
	o.kernels, err = choose("saxpy,conv1d")
	require.NoError(t, err)
	require.NoError(t, measure(o))
	text, err := os.ReadFile(o.json)
	require.NoError(t, err)
	var r report
	require.NoError(t, json.Unmarshal(text, &r))
	require.Len(t, r.Kernels, 2)
	for _, m := range r.Kernels {
		require.Empty(t, m.Failed)
		for _, c := range []string{"tandem", "tandem_interp", "go"} {
			require.Len(t, m.Rounds[c], 3)
			require.Positive(t, m.Median[c])
		}
		require.Equal(t, "interp", m.Engines[1])
		require.Greater(t, m.Ratio["tandem_interp"], 0.0)
		for column, f := range m.Inside {
			require.Positive(t, f.LaneOps, column)
			require.Positive(t, f.Instructions, column)
			require.LessOrEqual(t, f.InGo, f.LaneOps, column)
		}
	}
	require.Contains(t, r.Limits.LaunchUS, "tandem")
	o.merge, o.kernels = o.json, nil
	require.NoError(t, measure(o), "a report is kept")
}

// TestWorkersThatEnd: a worker that dies costs its column, and says what it wrote last.
func TestWorkersThatEnd(t *testing.T) {
	c := column{name: "odd", command: []string{os.Args[0], "-worker", "none"}}
	w, err := c.start()
	require.NoError(t, err)
	_, err = w.ask("open nowhere")
	require.ErrorContains(t, err, "odd")

	c = column{name: "go", command: []string{os.Args[0], "-worker", "go"}}
	w, err = c.start()
	require.NoError(t, err)
	_, err = w.ask("open %s", t.TempDir())
	require.ErrorContains(t, err, "spec")
	_, err = w.ask("nonsense")
	require.ErrorContains(t, err, "unknown command")
	a, err := w.ask("info")
	require.NoError(t, err)
	require.Contains(t, a, "go1.")
	_ = w.stop() // it is ended while it waits
}

// TestSummary: ratios are those of the rounds, and the best of PoCL's methods is never worse than its default.
func TestSummary(t *testing.T) {
	m := &measurement{Kernel: "k", PoCLBest: "pocl_loopvec", Rounds: map[string][]float64{
		"tandem": {1, 2, 4}, "pocl": {3, 4, 6}, "pocl_loopvec": {4, 5, 7}, "c": {2, 2, 2}, "tandem_jit_avx2": {2, 2, 2},
	}}
	m.summarise()
	require.Equal(t, 2.0, m.Median["tandem"])
	require.Equal(t, 2.0, m.Ratio["pocl"]) // of 3, 2, 1.5
	require.Equal(t, 1.0, m.Ratio["c"])    // of 2, 1, 0.5
	require.Equal(t, "pocl", m.PoCLBest)
	require.Equal(t, 2.0, m.Ratio["pocl_best"])
	line := m.line()
	require.Contains(t, line, "kernel=k tandem_ms=2.000 pocl_ms=4.000 pocl_best_ms=4.000 c_ms=2.000 c_bestalgo_ms=- go_ms=- escaped=1.0000 ")
	require.Contains(t, line, "jit_avx2_ms=2.000 jit_avx2_vs_pocl_best=2.00")
	r := &report{Kernels: []*measurement{m}}
	r.finish()
	require.InDelta(t, 2, r.Geometric["pocl_best"], 1e-12)
	require.InDelta(t, 2, r.Geometric["avx2_pocl_best"], 1e-12)
	r.print(io.Discard)
	page := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(page, []byte("a\n"+documentBegin+"what was there"+documentEnd+"\nb\n"), 0o600))
	m.Kernel = "vecadd" // of which PoCL's best times 1.5 is asked
	m.Ratio["pocl_best"] = 1.25
	require.NoError(t, r.document(page))
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "a\n"+documentBegin+"\n") && strings.HasSuffix(string(text), documentEnd+"\nb\n"))
	require.NotContains(t, string(text), "what was there")
	require.Contains(t, string(text), "| vecadd | **1.25** | ≥ 1.5 |")
	require.Error(t, r.document(filepath.Join(t.TempDir(), "none")))
}

// TestChart draws bars of the right lengths in both forms.
func TestChart(t *testing.T) {
	m := &measurement{Kernel: "<k>", Rounds: map[string][]float64{"tandem": {1}, "pocl_best": {8}, "c": {16}}}
	r := &report{Kernels: []*measurement{m}}
	name := filepath.Join(t.TempDir(), "chart")
	require.NoError(t, r.draw(name))
	svg, err := os.ReadFile(name + ".svg")
	require.NoError(t, err)
	require.Contains(t, string(svg), "&lt;k&gt;")
	// The axis goes from 1/2 to 8: a quarter of it is one power of two.
	require.Contains(t, string(svg), fmt.Sprintf(`x="%d" y="%d" width="%d"`, chartLeft+chartWidth/4, chartTop, chartWidth*3/4+1))
	require.Contains(t, string(svg), fmt.Sprintf(`x="%d" y="%d" width="%d"`, chartLeft, chartTop+barHeight, chartWidth/4+1))
	picture, err := os.Open(name + ".png")
	require.NoError(t, err)
	defer picture.Close()
	img, err := png.Decode(picture)
	require.NoError(t, err)
	blue := bars[0].fill
	require.Equal(t, blue, img.At(chartLeft+chartWidth-2, chartTop+1))
	require.NotEqual(t, blue, img.At(chartLeft+chartWidth/4-2, chartTop+1))
	require.Error(t, (&report{}).draw(name), "nothing to draw")
}

func TestChoose(t *testing.T) {
	all, err := choose("all")
	require.NoError(t, err)
	require.Len(t, all, 18)
	_, err = choose("saxpy,sxpy")
	require.ErrorContains(t, err, `"sxpy"`)
	require.Equal(t, 2.5, median([]float64{4, 1, 3, 2}))
	require.Equal(t, 3.0, median([]float64{4, 1, 3}))
}

// TestC: the kernels in C are right too; gcc is among what the tests of the nested modules need.
func TestC(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, unpack(dir))
	for _, c := range peers(dir)[:2] {
		require.NoError(t, c.lost)
		w, err := c.start()
		require.NoError(t, err)
		for _, k := range kernels {
			p, folder := small(k, 11), t.TempDir()
			require.NoError(t, p.write(folder))
			if _, err := w.ask("open %s", folder); err != nil {
				require.ErrorContains(t, err, "there is no "+k.name+"_best")
				continue
			}
			_, err := w.ask("check %s", folder)
			require.NoError(t, err)
			require.NoError(t, p.right(folder), c.name)
			_, err = w.ask("close")
			require.NoError(t, err)
		}
		_ = w.stop() // it is ended while it waits
	}
}
