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

// TestEngineVariable: a name that no engine has is an error and never another engine.
func TestEngineVariable(t *testing.T) {
	t.Setenv("TANDEM_ENGINE", "steam")
	_, err := cuda.OpenHost(cuda.HostConfig{})
	require.ErrorIs(t, err, cuda.ErrNotSupported)
}
