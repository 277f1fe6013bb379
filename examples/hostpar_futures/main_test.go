package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/proc"
)

func TestMain(m *testing.M) { os.Exit(proc.Main(m.Run)) }

func TestOutput(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, 1000))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 1+3*11)
	require.Regexp(t, `^sequential: \d`, lines[0])
	for p := range 3 {
		part := lines[1+11*p:][:11]
		for x := 1; x <= 10; x++ { // each once, in any order
			require.Contains(t, part[:10], fmt.Sprintf("evaluate(%d) = %d", x, 1000*x))
		}
		require.Regexp(t, `^(pool of \d+|\d+ processes): .* speed-up .* %$`, part[10])
	}
	require.Regexp(t, `^pool of 1: `, lines[11])
	require.Regexp(t, `^\d+ processes: `, lines[33])
}
