package random_test

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

var rewrite = flag.Bool("rewrite", false, "write random.zip anew")

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

// variants are the integers, and the types of continuous distributions.
func variants() []library.Variant {
	return []library.Variant{
		{Name: "integers", Options: []string{"-DINTEGERS"}},
		{Name: "f32", Options: []string{"-DNORMAL_FLOAT"}},
		{Name: "f64", Options: []string{"-DNORMAL_DOUBLE"}},
	}
}

// TestEmbedded checks that random.zip was made from random.cu.
func TestEmbedded(t *testing.T) {
	source, err := os.ReadFile("random.cu")
	require.NoError(t, err)
	if *rewrite {
		data, err := library.Make(t.Context(), "random.cu", string(source), variants())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("random.zip", data, 0o644))
		return
	}
	data, err := os.ReadFile("random.zip")
	require.NoError(t, err)
	require.NoError(t, library.Open("random.zip", data).Check(string(source), variants()))
}
