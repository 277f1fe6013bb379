package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		require.NoError(t, run(t.Context(), &out, 2050*time.Millisecond, 100*time.Millisecond))
		require.Equal(t, `job elsewhere:   20 ticks, the longest wait 100ms
job on the loop: 1 ticks, the longest wait 2.05s
`, out.String())
	})
}
