package mpi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLocalX(t *testing.T) {
	require.NoError(t, mpi.Local(t.Context(), 1, func(context.Context, *mpi.Comm) error { return nil }))
}
