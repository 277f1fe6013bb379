//go:build tandem_nodl

package nvrtc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/nvrtc"
)

func TestWithoutLoaderOpenSaysSo(t *testing.T) {
	_, err := nvrtc.Open(nvrtc.Config{NoCache: true})
	require.ErrorIs(t, err, nvrtc.ErrNotFound)
	require.ErrorIs(t, err, dl.ErrNoLoader)
	require.ErrorContains(t, err, "tandem_nodl")
}
