package expr_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
)

var rewrite = flag.Bool("rewrite", false, "write the embedded kernels anew")

// mark is the first line of a group: what it was made from.
func mark(source string) string {
	return fmt.Sprintf("// made from %x\n", sha256.Sum256([]byte(source)))
}

// TestEmbedded checks that the embedded kernels are those of the present source, and that none is missing.
func TestEmbedded(t *testing.T) {
	groups := expr.Embedded()
	if *rewrite {
		old, err := filepath.Glob("embedded/*.gz")
		require.NoError(t, err)
		for _, f := range old {
			require.NoError(t, os.Remove(f))
		}
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		source := expr.GroupSource(groups[group])
		if *rewrite {
			write(t, group, source)
			continue
		}
		have, err := expr.PTX(group)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(have), mark(source)), "%s is not of the present source: run make gen", group)
		for _, s := range groups[group] {
			_, name, _ := s.Name()
			if s.Reduce != "" {
				name += expr.ByBlock
			}
			require.Contains(t, string(have), ".entry "+name+"(")
		}
	}
}

// write compiles a group, without positions in the source, which nobody has.
func write(t *testing.T, group, source string) {
	ptx, _, err := cuda.CompilePTX(t.Context(), source, cuda.CompileConfig{Name: group + ".cu", Options: expr.Options(), NoCache: true})
	var rejected *cuda.CompileError
	if errors.As(err, &rejected) {
		t.Fatal(rejected.Numbered(1))
	}
	require.NoError(t, err)
	var b bytes.Buffer
	b.WriteString(mark(source))
	for line := range strings.Lines(string(ptx)) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, ".loc ") || strings.HasPrefix(text, ".loc\t") || strings.HasPrefix(text, "//") || text == "" {
			continue
		}
		b.WriteString(line)
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(b.Bytes())
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile("embedded/"+group+".gz", packed.Bytes(), 0o644))
	t.Logf("%s: %d kernels, %d bytes, packed %d", group, len(expr.Embedded()[group]), b.Len(), packed.Len())
}
