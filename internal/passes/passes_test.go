package passes_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/passes"
)

var rewrite = flag.Bool("rewrite", false, "write the expected parts of golden tests anew")

// golden runs a test on each testdata/dir/*.ir: text, a line of dashes, and what run makes of the text. With -rewrite the
// second part is written anew.
func golden(t *testing.T, dir string, run func(t *testing.T, name string, k *ir.Kernel) string) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.ir"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".ir")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			in, want, _ := strings.Cut(string(data), "\n--------\n")
			k, err := ir.Parse(in)
			require.NoError(t, err)
			require.NoError(t, ir.Verify(k))
			got := run(t, name, k)
			if *rewrite {
				require.NoError(t, os.WriteFile(file, []byte(strings.TrimRight(in, "\n")+"\n--------\n"+got), 0o644))
				return
			}
			require.Equal(t, want, got)
		})
	}
}

// TestRewrites runs the pass that a file is called after, up to a dash, on the file.
func TestRewrites(t *testing.T) {
	golden(t, "rewrite", func(t *testing.T, name string, k *ir.Kernel) string {
		pass, _, _ := strings.Cut(name, "-")
		require.NoError(t, passes.RunPass(k, pass, passes.Options{Verify: true}))
		return k.String()
	})
}

// TestEachPassHasAFile: a pass without a golden file would be changed unseen.
func TestEachPassHasAFile(t *testing.T) {
	for _, p := range passes.Table() {
		files, err := filepath.Glob(filepath.Join("testdata", "rewrite", p.Name+"*.ir"))
		require.NoError(t, err)
		require.NotEmpty(t, files, p.Name)
		require.NotEmpty(t, p.Why, p.Name)
	}
	require.ErrorContains(t, passes.RunPass(nil, "none", passes.Options{}), `no pass "none"`)
}

// TestDump: the phases are seen in order, each with a kernel that verifies.
func TestDump(t *testing.T) {
	k, err := ir.Parse("kernel @k\nfunc @k() {\nb0:\nret\n}\n")
	require.NoError(t, err)
	var phases []string
	require.NoError(t, passes.Run(k, passes.Options{Verify: true, Dump: func(phase string, k *ir.Kernel) { phases = append(phases, phase) }}))
	want := []string{"lower"}
	for _, p := range passes.Table() {
		want = append(want, p.Name)
	}
	require.Equal(t, want, phases)
}

// TestRunNamesTheSpoiler: a kernel that is not well-formed is noticed before the first pass.
func TestRunNamesTheSpoiler(t *testing.T) {
	k, err := ir.Parse("kernel @k\nfunc @k() {\nb0:\nret\nb1:\nret\n}\n")
	require.NoError(t, err)
	require.ErrorContains(t, passes.Run(k, passes.Options{Verify: true}), "after pass lower: k: b1: no predecessor")
}

// TestFoldCallback: constants are computed by the engine's own rules where it lends them.
func TestFoldCallback(t *testing.T) {
	k, err := ir.Parse("kernel @k\nfunc @k() {\nb0:\nv0:b64 = const.b64 #64\nv1:b32 = const.f32 #0x40000000\nv2:b32 = sqrt.f32 v1\nstore.f32 [v0], v2\nret\n}\n")
	require.NoError(t, err)
	calls := 0
	require.NoError(t, passes.Run(k, passes.Options{Verify: true, Fold: func(in *ir.Instr, args []uint64) (uint64, bool) {
		calls++
		require.Equal(t, ir.OpSqrt, in.Op)
		require.Equal(t, []uint64{0x40000000}, args)
		return 0x3fb504f3, true
	}}))
	require.Equal(t, 1, calls)
	require.Contains(t, k.String(), "const.b32 #0x3fb504f3")
}
