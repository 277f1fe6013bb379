package main

import (
	"image/color"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/interop/gl/examples/windowtest"
)

func TestMain(m *testing.M) { windowtest.Main(m, main) }

// TestOutput: the picture is in the window, and half a period later its negative.
func TestOutput(t *testing.T) {
	picture, negative := filepath.Join(t.TempDir(), "picture.png"), filepath.Join(t.TempDir(), "negative.png")
	windowtest.Run(t, "-frames", "1", "-every", "2", "-screenshot", picture)
	windowtest.Run(t, "-frames", "3", "-every", "2", "-screenshot", negative)
	a, b := windowtest.Picture(t, picture), windowtest.Picture(t, negative)
	want := rings()
	for y := range side {
		for x := range side {
			p := want[4*(y*side+x):]
			at := side - 1 - y // the texture's first row is the lowest
			require.Equal(t, color.RGBA{p[0], p[1], p[2], 255}, a.At(x, at), "%d, %d", x, at)
			require.Equal(t, color.RGBA{255 - p[0], 255 - p[1], 255 - p[2], 255}, b.At(x, at), "%d, %d", x, at)
		}
	}
}
