package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutput(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `joined worker-1
joined worker-2
joined worker-3
joined worker-4
joined worker-5
a second start: par: thread was started before
sum of 0 to 100: 5050
thread bad: assignment to entry in nil map
background thread alive: true
background thread alive: false
`, out.String())
}
