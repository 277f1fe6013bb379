package lower_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files of golden tests anew")

// checked parses and checks PTX text.
func checked(t testing.TB, name, text string) *check.Checked {
	t.Helper()
	m, err := ptx.Parse(name, []byte(text))
	require.NoError(t, err)
	c, err := check.Check(m)
	require.NoError(t, err)
	return c
}

// TestGolden lowers all kernels of each testdata/*.ptx and compares with the .ir file beside it, which shows what each
// instruction becomes. It also holds the text form to its promise.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.ptx")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".ptx"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			c := checked(t, filepath.Base(file), string(text))
			var out strings.Builder
			for _, f := range c.Funcs {
				if !f.Entry {
					continue
				}
				k, err := lower.Kernel(c, f.Name)
				require.NoError(t, err)
				require.NoError(t, ir.Verify(k), k)
				again, err := ir.Parse(k.String())
				require.NoError(t, err)
				require.Equal(t, k.String(), again.String())
				require.NoError(t, ir.Verify(again))
				out.WriteString(k.String() + "\n")
			}
			golden := strings.TrimSuffix(file, ".ptx") + ".ir"
			if *rewrite {
				require.NoError(t, os.WriteFile(golden, []byte(out.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), out.String())
		})
	}
}
