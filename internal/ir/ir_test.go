package ir_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files of golden tests anew")

func forms(t testing.TB) string {
	data, err := os.ReadFile(filepath.Join("testdata", "forms.ir"))
	require.NoError(t, err)
	return string(data)
}

// TestTextForm: printing what was parsed gives the text back, for one instruction of each kind of syntax.
func TestTextForm(t *testing.T) {
	text := forms(t)
	k, err := ir.Parse(text)
	require.NoError(t, err)
	require.NoError(t, ir.Verify(k))
	if *rewrite {
		require.NoError(t, os.WriteFile(filepath.Join("testdata", "forms.ir"), []byte(k.String()), 0o644))
	}
	require.Equal(t, text, k.String())
}
