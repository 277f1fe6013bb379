package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/corpus"
)

// TestCorpusAVX2: the textbook kernels on the engine for processors without AVX-512, which each of them must name.
func TestCorpusAVX2(t *testing.T) {
	t.Setenv("TANDEM_ENGINE", "jit/avx2")
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	for _, c := range corpus.Cases(rand64(t)) {
		t.Run(c.Name, func(t *testing.T) { runCase(t, dev, c, "jit/avx2") })
	}
}

// TestEscaped: over the textbook kernels, machine code leaves at most 2 % of the operations of lanes to Go, on each engine
// that this machine can run.
func TestEscaped(t *testing.T) {
	for _, engine := range []string{"jit", "jit/avx2"} {
		t.Run(engine, func(t *testing.T) {
			dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine, Count: true})
			require.NoError(t, err)
			defer dev.Close()
			var all, inGo uint64
			for _, c := range corpus.Cases(rand64(t)) {
				t.Run(c.Name, func(t *testing.T) {
					seen := map[string]bool{}
					for _, f := range runCase(t, dev, c, "") {
						if seen[f.Name()] {
							continue
						}
						seen[f.Name()] = true
						n, escaped := cuda.Executed(f)
						require.NotZero(t, n, f.Name())
						all, inGo = all+n, inGo+escaped
					}
				})
			}
			share := float64(inGo) / float64(all)
			t.Logf("%d of %d operations in Go: %.3f %%", inGo, all, 100*share)
			require.LessOrEqual(t, share, 0.02)
		})
	}
}

// TestEscapedCounts: who counts nothing says nothing, and the reference engine is Go.
func TestEscapedCounts(t *testing.T) {
	c := corpus.Cases(1)[0]
	for engine, want := range map[string]float64{"interp": 1, "jit/avx2": 0} {
		dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine})
		require.NoError(t, err)
		require.Equal(t, want, runCase(t, dev, c, engine)[0].Escaped())
		require.NoError(t, dev.Close())
	}
}

// TestEngineVariable: a name that no engine has is an error and never another engine.
func TestEngineVariable(t *testing.T) {
	t.Setenv("TANDEM_ENGINE", "steam")
	_, err := cuda.OpenHost(cuda.HostConfig{})
	require.ErrorIs(t, err, cuda.ErrNotSupported)
}
