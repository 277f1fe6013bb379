package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestOutput(t *testing.T) {
	defer goleak.VerifyNone(t)
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, 20))
	require.Equal(t, `0 1 1 2 3 5 8 13 21 34 55 89 144 233 377 610 987 1597 2584 4181 
a 3
is 2
rose 3
`, out.String())
}
