//go:build linux

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
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `worker 1, results there: [1 4 9 16]; here: []
background is a daemon: true, alive: true
terminated, alive: false, signal: terminated
squares in shared memory: [1 4 9 16], sum 30
dictionary of a manager: map[0:0 1:2 2:4 3:6 4:8 5:10 6:12], list: [0 1 2 3 4 5 6]
through a pipe: [42 <nil> hello]
then: EOF
`, out.String())
	require.Empty(t, proc.Children())
}
