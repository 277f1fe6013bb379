package main

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutput(t *testing.T) {
	const steps = 1_000_000
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, steps))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 5)
	for i, name := range []string{"serial", "map", "futures", "queue", "reduce"} {
		var way string
		var pi float64
		_, err := fmt.Sscanf(lines[i], "%s pi = %f,", &way, &pi)
		require.NoError(t, err, lines[i])
		require.Equal(t, name, way)
		// The midpoint rule errs by h²/24·|f'(1)-f'(0)| = 8e-14; summing adds some 1e-13.
		require.LessOrEqual(t, math.Abs(pi-math.Pi), 1e-12, name)
	}
}
