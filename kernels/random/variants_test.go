package random_test

import (
	"flag"
	"os"
	"testing"

	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/internal/library"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
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
func TestEmbedded(t *testing.T) { oracle.Archive(t, "random", variants(), *rewrite) }
