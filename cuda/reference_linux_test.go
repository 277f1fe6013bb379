//go:build linux && !tandem_nodl

package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/nvidia/nvidiatest"
)

// TestReferencesOnGPU: the NVIDIA back end sets references by the driver's calls, which here are the host device's, except to a mipmap.
func TestReferencesOnGPU(t *testing.T) {
	d, err := cuda.NewSystem("", hostOK, nvidiatest.New(t).Backend()).Open("gpu:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	m, err := d.Load(background, []byte(references), cuda.LoadConfig{Name: "references.ptx"})
	require.NoError(t, err)
	checkReferences(t, d, m)

	steps, err := d.NewMipmap(cuda.ArrayConfig{Width: 4, Height: 4, Format: cuda.FormatFloat32}, 0)
	require.NoError(t, err)
	texture, err := steps.NewTexture(cuda.TextureConfig{Normalized: true})
	require.NoError(t, err)
	require.ErrorIs(t, m.SetTexture(background, "picture", texture), cuda.ErrNotSupported)
	require.NoError(t, texture.Close())
	require.NoError(t, steps.Close())
}
