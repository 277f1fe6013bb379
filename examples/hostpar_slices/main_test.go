package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutput(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `slices: [[0 1 2] [3 4 5] [6 7] [8 9]]
squares: [0 1 4 9 16 25 36 49 64 81]
apply: 1 cubed is 1
apply: 2 cubed is 8
asynchronous: [1 8 27 64 125 216] with 6 callbacks
powers: [1024 81 1000]
`, out.String())
}
