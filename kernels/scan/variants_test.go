package scan_test

import (
	"flag"
	"os"
	"testing"

	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/internal/library"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
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
func TestEmbedded(t *testing.T) { oracle.Archive(t, "scan", variants(), *rewrite) }
