package main

import (
	"context"
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
	require.Equal(t, "sum of ranks 6; neighbours of rank 0: 3 and 1\n"+
		"parts [3 3 2 2] squares [0 1 4 9 16 25 36 49 64 81]\nsums [6 4 14] largest 3\n", output(t, 4))
	require.Equal(t, "sum of ranks 0; neighbours of rank 0: 0 and 0\n"+
		"parts [10] squares [0 1 4 9 16 25 36 49 64 81]\nsums [0 1 0] largest 0\n", output(t, 1))
}
