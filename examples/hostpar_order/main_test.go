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
	// That a hundred processes of four workers come in order by chance is next to impossible.
	require.Regexp(t, `^appended under a lock: in order: false, each once: true
returned by Map: in order: true
strings by position: \["[a-z]{5}" "[a-z]{5}" "[a-z]{5}" "[a-z]{5}"\]; the queue's, sorted by position, are the same: true
p1 and p2 met: true, and went on .*s apart
p3 and p4 met: true, and went on .*s apart
$`, out.String())
	require.Empty(t, proc.Children())
}
