package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/mpi"
)

var rewrite = flag.Bool("rewrite", false, "write heat.ptx anew")

// TestEmbedded checks that the embedded PTX was made from this source: Compile would refuse it otherwise.
func TestEmbedded(t *testing.T) {
	ptx, _, err := cuda.CompilePTX(t.Context(), source, compile)
	require.NoError(t, err)
	if *rewrite {
		require.NoError(t, os.WriteFile("heat.ptx", ptx, 0o644))
		return
	}
	mark := func(b []byte) []byte { return b[:bytes.IndexByte(b, ' ')+60] }
	require.Equal(t, string(mark(ptx)), string(mark(embedded)), "run go generate")
}

func output(t *testing.T, ranks int) string {
	t.Helper()
	var out strings.Builder // only rank 0 writes
	require.NoError(t, mpi.Local(t.Context(), ranks, func(ctx context.Context, world *mpi.Comm) error {
		return run(ctx, &out, world)
	}))
	return out.String()
}

func TestOutput(t *testing.T) {
	for _, ranks := range []int{1, 4, 6, 7} {
		out := output(t, ranks)
		_, text, found := strings.Cut(out, "largest error ")
		require.True(t, found, out)
		var worst float64
		_, err := fmt.Sscanf(text, "%g", &worst)
		require.NoError(t, err)
		// Each step rounds a handful of operations on numbers up to 1, and shrinks old errors: 200·8·2⁻⁵³ at most.
		require.LessOrEqual(t, worst, 2e-13, out)
	}
}
