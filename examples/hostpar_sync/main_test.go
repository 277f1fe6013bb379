package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// In a bubble the times are exact.
func TestOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		require.NoError(t, run(t.Context(), &out))
		require.Equal(t, `items in the box: 10
released before the event: 0, after: 3
eaten: 5, left: 0
more than two at once: false
1 and 2: 0s apart, 3 and 4: 0s apart, 1 and 3: 100ms apart
`, out.String())
	})
}
