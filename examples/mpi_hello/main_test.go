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
	require.Equal(t, "hello from rank 0 of 3\nhello from rank 1 of 3\nhello from rank 2 of 3\n", output(t, 3))
}
