package main

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

var rewrite = flag.Bool("rewrite", false, "write filters.ptx anew")

// TestEmbedded checks that the embedded PTX was made from this source: Compile would refuse it otherwise.
func TestEmbedded(t *testing.T) {
	ptx, _, err := cuda.CompilePTX(t.Context(), source, cuda.CompileConfig{Name: "filters.cu"})
	require.NoError(t, err)
	if *rewrite {
		require.NoError(t, os.WriteFile("filters.ptx", ptx, 0o644))
		return
	}
	mark := func(b []byte) []byte { return b[:bytes.IndexByte(b, ' ')+60] }
	require.Equal(t, string(mark(ptx)), string(mark(embedded)), "run go generate")
}

// TestOutput runs the program, which compares every pixel.
func TestOutput(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	require.NoError(t, run(t.Context(), &b, "", dir))
	for _, name := range steps {
		require.Contains(t, b.String(), name+".png: as in Go\n")
	}
	f, err := os.Open(filepath.Join(dir, "equalized.png"))
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	darkest, brightest := uint8(255), uint8(0)
	for _, v := range img.(*image.Gray).Pix {
		darkest, brightest = min(darkest, v), max(brightest, v)
	}
	require.Equal(t, [2]uint8{0, 255}, [2]uint8{darkest, brightest}, "all of the range is used")
}

// TestSizes: pictures that are no multiple of a tile, down to one pixel, and of one colour.
func TestSizes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 3}, {33, 9}} {
		dir := t.TempDir()
		name := filepath.Join(dir, "in.png")
		m := image.NewNRGBA(image.Rect(0, 0, size[0], size[1]))
		for i := range m.Pix {
			m.Pix[i] = uint8(i * 37)
		}
		require.NoError(t, write(name, m))
		require.NoError(t, run(t.Context(), &bytes.Buffer{}, name, dir))
		plain := image.NewGray(m.Rect)
		for i := range plain.Pix {
			plain.Pix[i] = 100
		}
		require.NoError(t, write(name, plain))
		require.NoError(t, run(t.Context(), &bytes.Buffer{}, name, dir))
	}
}

// TestReference checks the filters in Go on answers made by hand.
func TestReference(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 2, 1))
	m.SetRGBA(0, 0, color.RGBA{255, 0, 0, 255})
	m.SetRGBA(1, 0, color.RGBA{255, 255, 255, 255})
	out := reference(m)
	require.Equal(t, []byte{76, 255}, out[0].Pix)
	require.Equal(t, []byte{132, 199}, out[1].Pix, "(11*76 + 5*255 + 8)/16 and (5*76 + 11*255 + 8)/16, columns do not change it")
	require.Equal(t, []byte{255, 255}, out[2].Pix, "4*(199-132) is more than 255")
	require.Equal(t, []byte{0, 255}, out[3].Pix)
}

func TestBadInput(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.png")
	require.NoError(t, os.WriteFile(name, []byte("no picture"), 0o600))
	require.ErrorContains(t, run(t.Context(), &bytes.Buffer{}, name, ""), name)
	require.ErrorIs(t, run(t.Context(), &bytes.Buffer{}, name+"x", ""), os.ErrNotExist)
	require.ErrorIs(t, run(t.Context(), &bytes.Buffer{}, "", filepath.Join(t.TempDir(), "none", "x")), os.ErrNotExist)
}
