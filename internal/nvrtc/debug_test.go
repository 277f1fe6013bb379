package nvrtc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc"
)

func TestDebugVariantKeepsWhatTheTypesDependOn(t *testing.T) {
	p := nvrtc.Program{Source: "s", Arch: "sm_90", Options: []string{"-lineinfo", "-D", "-G", "--generate-line-info", "-I", "d", "-G", "--std=c++17"},
		NameExpressions: []string{"f<int>"}}
	v := nvrtc.DebugVariant(p)
	require.Equal(t, "compute_90", v.Arch)
	require.Equal(t, []string{"-G", "-D", "-G", "-I", "d", "--std=c++17"}, v.Options, "-G after -D is a macro's name")
	require.Equal(t, p.NameExpressions, v.NameExpressions)
	require.Equal(t, "-lineinfo", p.Options[0], "the program itself is unchanged")
	require.Equal(t, "compute_75", nvrtc.DebugVariant(nvrtc.Program{Arch: "compute_75"}).Arch)
}
