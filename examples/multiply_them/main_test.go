package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

var rewrite = flag.Bool("rewrite", false, "write multiply_them.ptx anew")

// TestEmbedded checks that the embedded PTX was made from this source: Compile would refuse it otherwise.
func TestEmbedded(t *testing.T) {
	ptx, _, err := cuda.CompilePTX(t.Context(), source, cuda.CompileConfig{Name: "multiply_them.cu"})
	require.NoError(t, err)
	if *rewrite {
		require.NoError(t, os.WriteFile("multiply_them.ptx", ptx, 0o644))
		return
	}
	mark := func(b []byte) []byte { return b[:bytes.IndexByte(b, ' ')+60] }
	require.Equal(t, string(mark(ptx)), string(mark(embedded)), "run go generate")
}

// TestOutput runs the program on what this machine has.
func TestOutput(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	stdout := os.Stdout
	os.Stdout = w
	err = run(t.Context())
	os.Stdout = stdout
	require.NoError(t, w.Close())
	require.NoError(t, err)
	out, err := io.ReadAll(r)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 4)
	require.Equal(t, strings.Repeat("0 ", 400), lines[0])
	require.Equal(t, "maximum absolute error: 0", lines[1])
	require.Regexp(t, `^device: .+ \((host|gpu:\d)\)$`, lines[2])
	require.Regexp(t, `^compiler: (NVRTC \d+\.\d|embedded PTX \(.+\))$`, lines[3])
}
