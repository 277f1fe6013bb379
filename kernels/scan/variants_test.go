package scan_test

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

var rewrite = flag.Bool("rewrite", false, "write scan.zip anew")

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

// variants are one for each operation and type.
func variants() (list []library.Variant) {
	for _, op := range [][2]string{{"add", "ADD"}, {"mul", "MUL"}, {"min", "MIN"}, {"max", "MAX"}} {
		for _, t := range library.CTypes {
			list = append(list, library.Variant{Name: op[0] + "_" + t.Suffix, Options: []string{"-D" + op[1], "-DTYPE=" + t.C}})
		}
	}
	return list
}

// TestEmbedded checks that scan.zip was made from scan.cu.
func TestEmbedded(t *testing.T) {
	source, err := os.ReadFile("scan.cu")
	require.NoError(t, err)
	if *rewrite {
		data, err := library.Make(t.Context(), "scan.cu", string(source), variants())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("scan.zip", data, 0o644))
		return
	}
	data, err := os.ReadFile("scan.zip")
	require.NoError(t, err)
	require.NoError(t, library.Open("scan.zip", data).Check(string(source), variants()))
}
