package linalg_test

import (
	"flag"
	"os"
	"testing"

	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/internal/library"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
)

var rewrite = flag.Bool("rewrite", false, "write linalg.zip anew")

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

// variants are one for each type of numbers.
func variants() []library.Variant {
	return []library.Variant{
		{Name: "f32", Options: []string{"-DREAL=float", "-DMR=8"}},
		{Name: "f64", Options: []string{"-DREAL=double", "-DMR=4"}},
		{Name: "c64", Options: []string{"-DREAL=float", "-DMR=4", "-DCOMPLEX"}},
		{Name: "c128", Options: []string{"-DREAL=double", "-DMR=2", "-DCOMPLEX"}},
	}
}

// TestEmbedded checks that linalg.zip was made from linalg.cu.
func TestEmbedded(t *testing.T) { oracle.Archive(t, "linalg", variants(), *rewrite) }
