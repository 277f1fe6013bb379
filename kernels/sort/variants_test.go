package sort_test

import (
	"flag"
	"os"
	"testing"

	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/internal/library"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
)

var rewrite = flag.Bool("rewrite", false, "write sort.zip anew")

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

// variants are one for each type.
func variants() (list []library.Variant) {
	words := map[string][2]string{
		"f32": {"unsigned", "FLOAT"}, "f64": {"unsigned long long", "FLOAT"}, "i32": {"unsigned", "SIGNED"},
		"i64": {"unsigned long long", "SIGNED"}, "u32": {"unsigned", "UNSIGNED"}, "u64": {"unsigned long long", "UNSIGNED"},
	}
	for _, t := range library.CTypes {
		w := words[t.Suffix]
		list = append(list, library.Variant{Name: t.Suffix, Options: []string{"-DTYPE=" + t.C, "-DWORD=" + w[0], "-D" + w[1]}})
	}
	return list
}

// TestEmbedded checks that sort.zip was made from sort.cu.
func TestEmbedded(t *testing.T) { oracle.Archive(t, "sort", variants(), *rewrite) }
