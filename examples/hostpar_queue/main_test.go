package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		// The producer closes the queue after its last Put; Join waits for the consumer.
		require.NoError(t, run(t.Context(), &out))
		require.Regexp(t, `^put 0, queue length 1
put 1, queue length 2
put 2, queue length 3
put 3, queue length [0-3]
put 4, queue length [01]
put 5, queue length [01]
sum of what was consumed: 15
by length: job
by length: long job
by length: longest job
$`, out.String())
	})
}
