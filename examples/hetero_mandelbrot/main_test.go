package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/examples/internal/beside"
)

// TestEmbedded checks that the embedded PTX was made from this source: Compile would refuse it otherwise.
func TestEmbedded(t *testing.T) {
	ptx, _, err := cuda.CompilePTX(t.Context(), source, cuda.CompileConfig{Name: "mandelbrot.cu"})
	require.NoError(t, err)
	mark := func(b []byte) string { return string(b[:bytes.IndexByte(b, ' ')+60]) }
	require.Equal(t, mark(ptx), mark(embedded), "run go generate")
}

// TestOutput runs the program, which compares its own answers.
func TestOutput(t *testing.T) {
	var out strings.Builder
	o := &beside.Options{Size: 1, Rounds: 1}
	require.NoError(t, run(t.Context(), &out, o), out.String())
	require.Contains(t, out.String(), "times as fast as the best one alone")
	require.Contains(t, out.String(), "the answers agree")
	require.Contains(t, out.String(), "efficiency")
	var area float64
	_, err := fmt.Sscanf(out.String()[strings.Index(out.String(), "area of the set"):], "area of the set: %f", &area)
	require.NoError(t, err)
	require.InDelta(t, 1.5066, area, 0.02, "Förstemann's estimate; the border is 500 steps and 480 rows coarse")
}
