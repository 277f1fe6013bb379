package main

import (
	"encoding/xml"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/proc"
)

func TestMain(m *testing.M) { os.Exit(proc.Main(m.Run)) }

// What is measured is done, and right: each function checks its results.
func TestMeasurements(t *testing.T) {
	for _, m := range measurements {
		require.Positive(t, m.ours(min(m.n, 100)), m.name)
	}
}

func TestResults(t *testing.T) {
	half := func(n int) time.Duration { return time.Duration(n) * time.Second / 2 }
	calls := 0
	peer := func(string, int) float64 { calls++; return 0.5 }
	r := measurement{name: "a", unit: "u", ours: half, n: 7, theirs: 3, goal: 5}.measure(3, peer)
	require.Equal(t, 3, calls)
	require.Equal(t, result{name: "a", unit: "u", ours: 2, theirs: 0.5, ratio: 4, goal: "≥ 5 ×"}, r)
	require.Equal(t, "| a | u | 2 | 0.5 | 4.0 × | ≥ 5 × **missed** |\n", r.row())
	r = measurement{name: "t", unit: "ms", ours: half, n: 7, theirs: 3, most: 500, scale: 1e3}.measure(2, peer)
	require.Equal(t, result{name: "t", unit: "ms", ours: 500, theirs: 2000, ratio: 4, goal: "≤ 500", met: true}, r)
	r = measurement{name: "alone", ours: half, n: 7}.measure(1, nil)
	require.True(t, math.IsNaN(r.theirs))
	require.Contains(t, r.row(), "| - | - |")
	require.InDelta(t, 2.5, median([]float64{4, 1, 2, 3}), 0)
	require.InDelta(t, 2, median([]float64{3, 1, 2}), 0)
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	rs := []result{{name: "one", unit: "u", ours: 12345, theirs: 1.5, ratio: 8230, goal: "≥ 50 ×", met: true}, {name: "two", theirs: math.NaN(), ratio: math.NaN(), met: true}}
	require.NoError(t, report(dir, rs, 5, "Python x"))
	page, err := os.ReadFile(filepath.Join(dir, "hostpar.md"))
	require.NoError(t, err)
	require.Contains(t, string(page), "| one | u | 12.3 k | 1.5 | 8230.0 × | ≥ 50 × |")
	plot, err := os.ReadFile(filepath.Join(dir, "hostpar.svg"))
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(plot, new(struct{})))
	require.Equal(t, 1, strings.Count(string(plot), "#0072b2"))
	require.Equal(t, 1, strings.Count(string(plot), "#e69f00"))
	picture, err := os.Open(filepath.Join(dir, "hostpar.png"))
	require.NoError(t, err)
	defer picture.Close()
	_, err = png.Decode(picture)
	require.NoError(t, err)
	require.NoError(t, report(dir, nil, 1, ""))
	require.Error(t, report(filepath.Join(dir, "none"), rs, 1, ""))
}
