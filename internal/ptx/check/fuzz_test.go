package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// FuzzCheck holds that no module makes Check panic, that it returns a result or a reason, and that printing a module
// does not change the verdict.
func FuzzCheck(f *testing.F) {
	for _, pattern := range []string{"../testdata/*.ptx", "testdata/*/*.ptx"} {
		names, err := filepath.Glob(pattern)
		require.NoError(f, err)
		require.NotEmpty(f, names)
		for _, name := range names {
			src, err := os.ReadFile(name)
			require.NoError(f, err)
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := ptx.Parse("f.ptx", src)
		if err != nil {
			return
		}
		c, err := check.Check(m)
		require.Equal(t, err == nil, c != nil)
		again, err2 := ptx.Parse("f.ptx", []byte(m.String()))
		require.NoError(t, err2)
		if m.Version == nil || m.Target == nil || len(m.Decls) > 0 && m.Decls[0].At().Before(m.Target.Pos) {
			return // the printed header stands where it should
		}
		_, err2 = check.Check(again)
		require.Equal(t, err == nil, err2 == nil, "%v\n%v", err, err2)
	})
}
