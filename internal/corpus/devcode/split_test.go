package devcode

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSplit: device code is kept, host code left out, and lines keep their numbers.
func TestSplit(t *testing.T) {
	text, err := os.ReadFile("../testdata/mixed.cu")
	require.NoError(t, err)
	mixed := string(text)
	chunks := split(mixed)
	var all strings.Builder
	for _, c := range chunks {
		all.WriteString(c.text)
	}
	require.Equal(t, mixed, all.String(), "nothing is lost")
	kept := join(chunks)
	require.Equal(t, strings.Count(mixed, "\n"), strings.Count(kept, "\n"))
	for _, want := range []string{"#define N 4", "Item;", "scale = 2", "twice(float x)", "void apply", "table[N]", "broken", "namespace inner {", "namespace nested =", "#ifdef VERBOSE"} {
		require.Contains(t, kept, want)
	}
	for _, not := range []string{"count = 0", "report(", "new T", "main()"} {
		require.NotContains(t, kept, not)
	}
	require.Equal(t, []string{"apply", "defaults", "broken"}, kernels(mixed))
	for _, c := range chunks {
		require.LessOrEqual(t, strings.Count(c.text, "__global__"), 1, "a definition ends with its body: %q", c.text)
	}
	require.Equal(t, []string{"apply<float>"}, instances(mixed, kernels(mixed)))
}
