package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// TestRows runs our side of every row once, on small inputs.
func TestRows(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	const n = 1 << 14
	s := &session{dev: dev, n: n, x: inputs(n, 2654435761), y: inputs(n, 2246822519)}
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			run, err := r.open(t.Context(), s)
			require.NoError(t, err)
			require.NoError(t, run())
		})
	}
}

func TestReplace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "d.md")
	require.NoError(t, os.WriteFile(file, []byte("a\n"+begin+"old\n"+end+"b\n"), 0o600))
	require.NoError(t, replace(file, "new"))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "a\n"+begin+"\nnew\n"+end+"b\n", string(text))
	require.NoError(t, os.WriteFile(file, []byte(begin+"\n"+head+"| one | 1 |\n| two | 2 |\n\n"+end), 0o600))
	require.NoError(t, replace(file, head+"| two | 3 |\n"))
	text, err = os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, begin+"\n"+head+"| two | 3 |\n| one | 1 |\n\n"+end, string(text), "what was not measured stays")
	require.NoError(t, os.WriteFile(file, []byte("nothing"), 0o600))
	require.Error(t, replace(file, "new"))
}
