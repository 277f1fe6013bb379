package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/examples/internal/beside"
)

// TestEmbedded checks that the embedded PTX was made from this source: Compile would refuse it otherwise.
func TestEmbedded(t *testing.T) {
	ptx, _, err := cuda.CompilePTX(t.Context(), source, cuda.CompileConfig{Name: "heat.cu"})
	require.NoError(t, err)
	mark := func(b []byte) string { return string(b[:bytes.IndexByte(b, ' ')+60]) }
	require.Equal(t, mark(ptx), mark(embedded), "run go generate")
}

// TestOutput runs the program, which compares its own answers.
func TestOutput(t *testing.T) {
	var out strings.Builder
	o := &beside.Options{Size: 1, Rounds: 1}
	frames := t.TempDir()
	require.NoError(t, run(t.Context(), &out, o, frames), out.String())
	for _, name := range []string{"heat000.png", "heat080.png"} {
		f, err := os.Open(filepath.Join(frames, name))
		require.NoError(t, err)
		img, err := png.Decode(f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		red, _, _, _ := img.At(256, 256).RGBA()
		require.EqualValues(t, 0xffff, red, "the middle is hot")
		red, _, _, _ = img.At(5, 5).RGBA()
		require.Zero(t, red, "the corner is cold")
	}
	require.Contains(t, out.String(), "times as fast as the best one alone")
	require.Contains(t, out.String(), "the answers agree")
	require.Contains(t, out.String(), "efficiency")
}
