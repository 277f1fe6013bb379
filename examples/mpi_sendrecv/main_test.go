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
	require.Equal(t, "received sensor 1: a = 7, b = 3.14\nreceived sensor 2: a = 7, b = 6.28\n"+
		"rank 0 has [\"from\" \"2\"] of rank 2\n", output(t, 3))
	require.Equal(t, "rank 0 has [\"from\" \"0\"] of rank 0\n", output(t, 1))
}
