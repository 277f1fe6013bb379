package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/proc"
)

func TestMain(m *testing.M) { os.Exit(proc.Main(m.Run)) }

func TestOutput(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, 20, 1_000_000))
	require.Regexp(t, `^cubes: \[1 8 27 64 125 216\]
one worker has died: true, the other cubes: 1728 and 2744
pi = 3.141592653590, error below 1e-12: true
(fib\(20\) = 4181, five times, (serial|goroutines|processes): .* speed-up [0-9.]+, efficiency \d+ %
){3}$`, out.String())
	require.ErrorContains(t, run(t.Context(), &out, 0, 1000), "numbers begin at 1")
}
