package main

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/array"
)

// inGo is the heights after some steps, by loops.
func inGo(width, height, steps int) []float32 {
	before, now, next := make([]float32, width*height), make([]float32, width*height), make([]float32, width*height)
	for t := range steps {
		for r := 1; r < height-1; r++ {
			for c := 1; c < width-1; c++ {
				i := r*width + c
				off := max(2*r-height+1, height-1-2*r)
				next[i] = 0
				if c != width/4 || off >= height/8 && off < height/5 {
					pull := now[i+width] + now[i-width] + now[i+1] + now[i-1] - float32(4*now[i])
					next[i] = float32(2*now[i]) - before[i] + float32(pull*speed)
				}
			}
		}
		for r := range height {
			next[r*width] = float32(math.Sin(0.4 * float64(t)))
		}
		before, now, next = now, next, before
	}
	return now
}

// TestWaves compares with loops in Go, bit for bit.
func TestWaves(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	for _, fusion := range []array.Fusion{array.FuseAuto, array.FuseNever} {
		ws, err := array.NewWorkspace(dev, array.Config{Fusion: fusion})
		require.NoError(t, err)
		p := newPool(ws, 80, 64)
		for i := range 60 {
			require.NoError(t, p.step(t.Context(), i))
		}
		have, err := p.now.Download(t.Context())
		require.NoError(t, err)
		for i, want := range inGo(80, 64, 60) {
			require.Equal(t, want, have[i], "point %d", i)
		}
		require.NoError(t, ws.Close())
	}
}

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "w.png")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, file, 96, 64, 150))
	require.Contains(t, out.String(), "96 x 64, 150 steps")
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	wall := img.At(96/4, 1)
	r, g, b, _ := wall.RGBA()
	require.Equal(t, [3]uint32{102 * 257, 102 * 257, 102 * 257}, [3]uint32{r, g, b}, "the wall is grey")
	r, _, _, _ = img.At(1, 32).RGBA()
	require.Greater(t, r, uint32(0x8000), "waves come from the left")
	require.Error(t, run(t.Context(), &out, file, 3, 3, 1))
}
