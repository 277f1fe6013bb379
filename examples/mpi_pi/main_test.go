package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

func output(t *testing.T, ranks int) string {
	t.Helper()
	var out strings.Builder // only rank 0 writes
	require.NoError(t, mpi.Local(t.Context(), ranks, func(ctx context.Context, world *mpi.Comm) error {
		return run(ctx, &out, world)
	}))
	return out.String()
}

func TestOutput(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(output(t, 3)), "\n")
	require.Len(t, lines, 2)
	for i, name := range []string{"scatter and gather", "reduce"} {
		var pi float64
		rest, found := strings.CutPrefix(lines[i], name+": ")
		require.True(t, found, lines[i])
		_, err := fmt.Sscanf(rest, "pi = %f,", &pi)
		require.NoError(t, err)
		// The midpoint rule errs by h²/24·|f'(1)-f'(0)| = 8e-16; summing ten million terms adds less than 1e-12.
		require.LessOrEqual(t, math.Abs(pi-math.Pi), 1e-12)
	}
}
