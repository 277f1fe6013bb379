package corpus_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/corpus"
)

// TestCases checks that the table itself is sound: every file has a case, every kernel named exists in its file, buffers
// and answers fit each other, and an answer differs from the initial contents, so that a kernel that does nothing fails.
func TestCases(t *testing.T) {
	files, err := os.ReadDir("testdata/kernels")
	require.NoError(t, err)
	without := map[string]bool{}
	for _, f := range files {
		without[f.Name()] = true
	}
	names := map[string]bool{}
	for _, c := range corpus.Cases(1) {
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
		delete(without, c.File)
		require.Len(t, c.Want, len(c.Buffers), c.Name)
		changes := false
		for i, want := range c.Want {
			if want == nil {
				continue
			}
			require.Equal(t, reflect.TypeOf(c.Buffers[i]), reflect.TypeOf(want), c.Name)
			require.Equal(t, reflect.ValueOf(c.Buffers[i]).Len(), reflect.ValueOf(want).Len(), c.Name)
			changes = changes || !reflect.DeepEqual(c.Buffers[i], want)
		}
		require.True(t, changes, "%s would pass without running", c.Name)
		for _, l := range c.Launches {
			require.Contains(t, c.Source(), "void "+l.Kernel+"(", c.Name)
			for _, a := range l.Args {
				if b, ok := a.(corpus.Buf); ok {
					require.Less(t, int(b), len(c.Buffers), c.Name)
				}
			}
		}
	}
	require.Empty(t, without, "files without a case")
	require.GreaterOrEqual(t, len(names), 20)
}

// TestSeeds checks that inputs depend on the seed alone.
func TestSeeds(t *testing.T) {
	require.Equal(t, corpus.Cases(7), corpus.Cases(7))
	require.NotEqual(t, corpus.Cases(7), corpus.Cases(8))
	require.False(t, strings.Contains(corpus.Cases(1)[0].Source(), "\r"))
}
