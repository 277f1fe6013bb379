package mathtable_test

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/mathtable"
)

var (
	rewrite = flag.Bool("rewrite", false, "write docs/results/math.md anew")
	samples = flag.Int("samples", 60, "random arguments for each function")
	include = flag.String("include", "", "the folder of CUDA's headers: measure half precision, too")
)

// TestAccuracy: no function is less accurate than CUDA documents.
func TestAccuracy(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{Engine: "interp"})
	require.NoError(t, err)
	defer dev.Close()
	seed := uint64(os.Getpid())
	if *rewrite {
		seed = 1
	}
	t.Logf("seed %d", seed)
	results, err := mathtable.Measure(t.Context(), dev, *samples, seed)
	require.NoError(t, err)
	for _, r := range results {
		if !r.Within() {
			t.Errorf("%s: %d ulp at %v, bound %d; absolute %g, bound %g; %q", r.Name, r.Ulp, r.At, r.Bound, r.AbsErr, r.AbsBound, r.Wrong)
		}
		require.Greater(t, r.Samples, 12, r.Name) // more than the special values
	}
	if *rewrite {
		mod, err := dev.Compile(t.Context(), "", cuda.CompileConfig{Name: "empty.cu"})
		require.NoError(t, err)
		page := mathtable.Markdown(results, mod.Compiler(), "interp")
		require.NoError(t, os.WriteFile("../../docs/results/math.md", []byte(page), 0o644))
	}
}

// TestHalf: arithmetic of f16 is rounded correctly; functions of CUDA's headers, where these are, are off by one number at the most.
func TestHalf(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{Engine: "interp"})
	require.NoError(t, err)
	defer dev.Close()
	results, err := mathtable.MeasureHalf(t.Context(), dev, *include, 1)
	require.NoError(t, err)
	for _, r := range results {
		require.Empty(t, r.Wrong, r.Name)
		require.Greater(t, r.Samples, 15000, r.Name)
		if *include == "" {
			require.Zero(t, r.Ulp, "%s at %v", r.Name, r.At)
		}
		require.LessOrEqual(t, r.Ulp, uint64(1), "%s at %v", r.Name, r.At)
	}
	if *rewrite && *include != "" {
		mod, err := dev.Compile(t.Context(), "", cuda.CompileConfig{Name: "empty.cu"})
		require.NoError(t, err)
		page := mathtable.HalfMarkdown(results, mod.Compiler(), "interp")
		require.NoError(t, os.WriteFile("../../docs/results/half.md", []byte(page), 0o644))
	}
}
