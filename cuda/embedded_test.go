package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/nvrtc"
)

const templated = `template <typename T> __global__ void twice(T *x) { x[threadIdx.x] *= 2; }`

// TestEmbeddedPTX: without NVRTC the embedded PTX of the same source runs, and says that it does; of other source it is refused.
func TestEmbeddedPTX(t *testing.T) {
	cfg := cuda.CompileConfig{Name: "dir/twice.cu", Options: []string{"-DN=1"}, NameExpressions: []string{"twice<float>"}}
	ptx, _, err := cuda.CompilePTX(t.Context(), templated, cfg)
	require.NoError(t, err)
	require.Contains(t, string(ptx), `.file	1 "dir/twice.cu"`, "no folder of the machine that compiled it")

	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	cfg.Embedded = ptx
	mod, err := dev.Compile(t.Context(), templated, cfg)
	require.NoError(t, err)
	require.Regexp(t, `^NVRTC \d+\.\d+$`, mod.Compiler(), "NVRTC is preferred")

	defer cuda.WithoutCompiler(&nvrtc.NotFoundError{})()
	mod, err = dev.Compile(t.Context(), templated, cfg)
	require.NoError(t, err)
	require.Regexp(t, `^embedded PTX \(NVRTC not found.*\)$`, mod.Compiler())
	f, err := mod.Function("twice<float>")
	require.NoError(t, err)
	x := []float32{1, 2, 3}
	require.NoError(t, f.Run(t.Context(), threads(3), cuda.InOut(x)))
	require.Equal(t, []float32{2, 4, 6}, x)

	for name, changed := range map[string]func(c *cuda.CompileConfig) string{
		"source":    func(*cuda.CompileConfig) string { return templated + " " },
		"options":   func(c *cuda.CompileConfig) string { c.Options = []string{"-DN=2"}; return templated },
		"instances": func(c *cuda.CompileConfig) string { c.NameExpressions = []string{"twice<int>"}; return templated },
		"no mark":   func(c *cuda.CompileConfig) string { c.Embedded = ptx[10:]; return templated },
	} {
		c := cfg
		_, err = dev.Compile(t.Context(), changed(&c), c)
		require.ErrorIs(t, err, cuda.ErrNoCompiler, name)
		require.ErrorContains(t, err, "tandem setup", name)
	}
}
