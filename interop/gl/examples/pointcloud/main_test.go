package main

import (
	"image/color"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/interop/gl/examples/windowtest"
)

// TestOutput draws two pictures: both have points where the surface is, and the wave has moved between them.
func TestOutput(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, run(t.Context(), 2, dir))
	first := windowtest.Picture(t, filepath.Join(dir, "pointcloud_000.png"))
	second := windowtest.Picture(t, filepath.Join(dir, "pointcloud_001.png"))
	background := color.RGBA{13, 15, 23, 255} // opaque, so the decoder gives this type
	points, moved := 0, 0
	for y := range height {
		for x := range width {
			if first.At(x, y) != background {
				points++
			}
			if first.At(x, y) != second.At(x, y) {
				moved++
			}
		}
	}
	require.Equal(t, background, first.At(2, 2))
	require.InDelta(t, width*height/3, points, width*height/6)
	require.Greater(t, moved, points/2)
}
