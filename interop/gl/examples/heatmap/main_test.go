package main

import (
	"image"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/interop/gl/examples/windowtest"
)

func TestMain(m *testing.M) { windowtest.Main(m, main) }

// TestOutput compares every pixel of a picture with the same steps in Go.
func TestOutput(t *testing.T) {
	const frames, steps = 3, 4
	shot := filepath.Join(t.TempDir(), "heat.png")
	windowtest.Run(t, "-frames", "3", "-steps", "4", "-screenshot", shot)
	img := windowtest.Picture(t, shot)
	require.Equal(t, image.Rect(0, 0, shown, shown), img.Bounds())
	plate := make([]float32, side*side)
	for i := range frames * steps {
		plate = spread(plate, float32(i)/100)
	}
	hot := 0
	for y := range shown {
		for x := range shown {
			h := sample(plate, x, shown-1-y) // the texture's first row is the lowest
			h = math.Sqrt(h)
			r, g, b, _ := img.At(x, y).RGBA()
			for i, v := range []uint32{r, g, b} {
				want := 255 * min(max(3*h-float64(i), 0), 1)
				require.InDelta(t, want, v>>8, 255*3*0.01+1, "pixel %d, %d, channel %d", x, y, i) // 8 bits of the interpolation, under a root
			}
			if h > 0.9 {
				hot++
			}
		}
	}
	require.Greater(t, hot, 3*60*4, "three spots of 30 π texels, four pixels each")
}

// sample interpolates between texels at the centre of a pixel.
func sample(plate []float32, x, y int) float64 {
	at := func(i, j int) float64 {
		return float64(plate[min(max(j, 0), side-1)*side+min(max(i, 0), side-1)])
	}
	u, v := (float64(x)+0.5)*side/shown-0.5, (float64(y)+0.5)*side/shown-0.5
	i, j := math.Floor(u), math.Floor(v)
	fu, fv := u-i, v-j
	top := at(int(i), int(j))*(1-fu) + at(int(i)+1, int(j))*fu
	return top*(1-fv) + (at(int(i), int(j)+1)*(1-fu)+at(int(i)+1, int(j)+1)*fu)*fv
}

// spread is the kernel in Go.
func spread(plate []float32, time float32) []float32 {
	at := func(x, y int) float32 {
		if x < 0 || y < 0 || x >= side || y >= side {
			return 0
		}
		return plate[y*side+x]
	}
	next := make([]float32, side*side)
	for y := range side {
		for x := range side {
			here := at(x, y)
			here += 0.24 * (at(x-1, y) + at(x+1, y) + at(x, y-1) + at(x, y+1) - 4*here)
			for k := range 3 {
				a := float64(time)*(0.4+0.17*float64(k)) + 2.1*float64(k)
				dx := float64(x) + 0.5 - side*(0.5+0.33*math.Cos(a))
				dy := float64(y) + 0.5 - side*(0.5+0.33*math.Sin(1.3*a))
				if dx*dx+dy*dy < 30 {
					here = 1
				}
			}
			next[y*side+x] = here
		}
	}
	return next
}
