package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOutput draws two pictures: both have points where the surface is, and the wave has moved between them.
func TestOutput(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, run(t.Context(), 2, dir))
	first, second := read(t, filepath.Join(dir, "pointcloud_000.png")), read(t, filepath.Join(dir, "pointcloud_001.png"))
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

func read(t *testing.T, name string) image.Image {
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	return img
}
