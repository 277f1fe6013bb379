package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/proc"
)

func TestMain(m *testing.M) { os.Exit(proc.Main(m.Run)) }

// Ten points, three of them within the unit cube around 0.
func TestCubeOfThreeDimensions(t *testing.T) {
	points := [][]float64{
		{0, 0, 0}, {0.3, -0.2, 0.1}, {-0.4, 0.4, -0.4},
		{0.5, 0, 0}, {0, -0.6, 0}, {0.1, 0.1, 0.9}, {1, 1, 1}, {-0.7, 0, 0.2}, {0, 0.8, 0}, {2, -2, 0},
	}
	require.InDelta(t, 0.3, density(points, []float64{0, 0, 0}, 1), 1e-15)
	// In two dimensions both functions agree.
	xs := normal(500, 1)
	var ys [][]float64
	for _, x := range xs {
		ys = append(ys, x[:])
	}
	for h := 0.1; h < 3; h += 0.1 {
		require.Equal(t, density(ys, []float64{0.2, -0.1}, h), estimate(xs, point{0.2, -0.1}, h, 2))
	}
}

// share is the probability that a sample falls into the window: the normal distribution's, once for each axis.
func share(h float64) float64 { return math.Pow(math.Erf(h/2/math.Sqrt2), 2) }

func TestEstimates(t *testing.T) {
	const n = 10_000
	for exponent, divisor := range map[int]string{1: "h", 2: "volume"} {
		var out strings.Builder
		processes := exponent == 2 // the same from goroutines and from processes
		require.NoError(t, run(t.Context(), &out, config{samples: n, widths: 20, divisor: divisor, processes: processes}))
		found := 0
		for line := range strings.Lines(out.String()) {
			var h, p float64
			if k, _ := fmt.Sscanf(line, "h = %f: %f", &h, &p); k != 2 {
				continue
			}
			found++
			// Five standard deviations of a binomial share, and the last digit that is printed.
			tolerance := 5*math.Sqrt(share(h)*(1-share(h))/n)/math.Pow(h, float64(exponent)) + 5e-5
			require.InDelta(t, share(h)/math.Pow(h, float64(exponent)), p, tolerance, line)
		}
		require.Equal(t, 5, found)
		for _, label := range []string{"serial", "2", "3", "4", "6"} {
			require.Regexp(t, `(?m)^ *`+label+`: [0-9.]+ s, speed-up [0-9.]+, efficiency \d+ %$`, out.String())
		}
		require.Contains(t, out.String(), "processor: ")
		require.Equal(t, exponent == 1, strings.Contains(out.String(), "not densities"))
	}
	require.Error(t, run(t.Context(), io.Discard, config{samples: 1, widths: 2, divisor: "x"}))
	require.Error(t, run(t.Context(), io.Discard, config{widths: 2, divisor: "h"}))
}

func TestPlots(t *testing.T) {
	dir := t.TempDir()
	c := config{samples: 100, widths: 2, divisor: "volume", plot: filepath.Join(dir, "plot.png")}
	require.NoError(t, run(t.Context(), io.Discard, c))
	data, err := os.ReadFile(c.plot)
	require.NoError(t, err)
	m, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, 5*rowHeight, m.Bounds().Dy())
	for i := range 5 { // each row begins with a bar, and not all is bar
		r, _, b, _ := m.At(left, i*rowHeight+rowHeight/2).RGBA()
		require.Less(t, r, b, "row %d", i)
	}
	r, _, _, _ := m.At(left-1, rowHeight/2).RGBA()
	require.EqualValues(t, 0xffff, r)

	c.plot = filepath.Join(dir, "plot.svg")
	require.NoError(t, run(t.Context(), io.Discard, c))
	data, err = os.ReadFile(c.plot)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(data, new(struct{})))
	require.Equal(t, 5, strings.Count(string(data), "<rect "))
	require.Contains(t, string(data), ">serial</text>")
	require.Contains(t, string(data), "stroke-dasharray")

	c.plot = filepath.Join(dir, "plot.gif")
	require.ErrorContains(t, run(t.Context(), io.Discard, c), `have ".gif"`)
}

// The Python original's cost is a test of each sample for each width in interpreted code; this is ours for the same.
func BenchmarkTenThousandSamplesHundredWidths(b *testing.B) {
	xs := normal(10_000, 123)
	for b.Loop() {
		for i := range 100 {
			_ = estimate(xs, point{}, 0.1+1.1*float64(i)/99, 2)
		}
	}
}
