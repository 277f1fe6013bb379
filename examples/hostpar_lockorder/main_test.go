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
		require.NoError(t, run(t.Context(), &out, time.Second))
		require.Equal(t, `with a Mutex: every number once: true, in order: false
with a Sequencer: every number once: true, in order: true
with Map, which needs no lock: every number once: true, in order: true
`, out.String())
	})
}
