//go:build nvjitlink && !tandem_nodl

package nvjitlink_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvjitlink"
)

// TestRealLibrary: NVIDIA's library, which TANDEM_NVJITLINK names or the search finds, makes machine code of PTX and tells why it
// does not. It runs with the tag nvjitlink only.
func TestRealLibrary(t *testing.T) {
	l, err := nvjitlink.Open(os.Getenv("TANDEM_NVJITLINK"))
	require.NoError(t, err)
	t.Log(l.Path(), l.Version())
	good := []byte(".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p) { ret; }\n")
	cubin, _, err := l.Link("sm_90", []nvjitlink.Input{{"good.ptx", good}}, "-lineinfo", "-maxrregcount=32")
	require.NoError(t, err)
	require.Equal(t, "\x7fELF", string(cubin[:4]))
	_, _, err = l.Link("sm_90", []nvjitlink.Input{{"bad.ptx", []byte(".version 8.0\n.target sm_80\nnonsense\n")}})
	var failed *nvjitlink.Error
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Log, "bad.ptx")
}
