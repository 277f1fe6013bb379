package image_test

import (
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	pictures "github.com/tandem-go/tandem/interop/image"
)

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

// noise fills an image of any type.
func noise(m draw.Image, seed uint64) draw.Image {
	r := rand.New(rand.NewPCG(seed, 1))
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			m.Set(x, y, color.NRGBA64{uint16(r.Uint32()), uint16(r.Uint32()), uint16(r.Uint32()), uint16(r.Uint32())})
		}
	}
	return m
}

// same asks for equal colours, whatever the origin.
func same(t *testing.T, want, got image.Image) {
	require.Equal(t, want.Bounds().Size(), got.Bounds().Size())
	d := want.Bounds().Min
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			require.Equal(t, want.At(d.X+x, d.Y+y), got.At(x, y), "at %d, %d", x, y)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		r := image.Rect(-3, 5, 14, 16)
		part := image.Rect(-1, 7, 9, 12)
		for format, m := range map[pictures.Format]draw.Image{
			pictures.Gray: image.NewGray(r), pictures.Gray16: image.NewGray16(r), pictures.RGBA: image.NewRGBA(r), pictures.NRGBA: image.NewNRGBA(r),
			pictures.RGBA64: image.NewRGBA64(r), pictures.NRGBA64: image.NewNRGBA64(r),
		} {
			noise(m, 7)
			for _, img := range []image.Image{m, m.(interface {
				SubImage(image.Rectangle) image.Image
			}).SubImage(part)} {
				p, err := pictures.Upload(t.Context(), dev, img)
				require.NoError(t, err)
				require.Equal(t, format, p.Format)
				require.Equal(t, p.Stride()*p.Height, p.Pix.Len())
				got, err := p.Download(t.Context())
				require.NoError(t, err)
				require.IsType(t, m, got)
				same(t, img, got)
				require.NoError(t, p.Set(t.Context(), img))
				require.NoError(t, p.Close())
			}
		}
	})
}

// TestByteOrder: numbers of 16 bits lie as the device reads them.
func TestByteOrder(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		m := image.NewGray16(image.Rect(0, 0, 1, 1))
		m.SetGray16(0, 0, color.Gray16{Y: 0x1234})
		p, err := pictures.Upload(t.Context(), dev, m)
		require.NoError(t, err)
		defer p.Close()
		words, err := cuda.Reinterpret[uint16](p.Pix)
		require.NoError(t, err)
		got, err := words.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, []uint16{0x1234}, got)
	})
}

// TestOtherImages: what has no format of its own becomes RGBA.
func TestOtherImages(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		palette := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.RGBA{200, 100, 50, 255}})
		palette.SetColorIndex(1, 2, 1)
		p, err := pictures.Upload(t.Context(), dev, palette)
		require.NoError(t, err)
		defer p.Close()
		require.Equal(t, pictures.RGBA, p.Format)
		got, err := p.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, color.RGBA{200, 100, 50, 255}, got.At(1, 2))
		require.Equal(t, color.RGBA{0, 0, 0, 255}, got.At(2, 1))
	})
}

func TestRefused(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		for want, img := range map[string]image.Image{
			"not between 1 and":           image.NewGray(image.Rect(0, 0, 0, 9)),
			"has only 3 bytes":            &image.Gray{Pix: make([]byte, 3), Stride: 2, Rect: image.Rect(0, 0, 2, 2)},
			"stride of 1":                 &image.Gray{Pix: make([]byte, 99), Stride: 1, Rect: image.Rect(0, 0, 2, 2)},
			"is not between 1 and 107374": image.NewUniform(color.White),
		} {
			_, err := pictures.Upload(t.Context(), dev, img)
			require.ErrorContains(t, err, want)
		}
		_, err := pictures.New(dev, 99, 1, 1)
		require.ErrorContains(t, err, "Format(99)")
		for _, size := range [][2]int{{0, 1}, {-1, -1}, {1 << 20, 1 << 20}} {
			_, err := pictures.New(dev, pictures.Gray, size[0], size[1])
			require.ErrorContains(t, err, "pixels are not between")
		}
		p, err := pictures.New(dev, pictures.Gray, 2, 2)
		require.NoError(t, err)
		require.ErrorContains(t, p.Set(t.Context(), image.NewGray(image.Rect(0, 0, 3, 2))), "the image is 3 x 2 gray")
		require.ErrorContains(t, p.Set(t.Context(), image.NewRGBA(image.Rect(0, 0, 2, 2))), "2 x 2 rgba")
		require.NoError(t, p.Close())
		_, err = p.Download(t.Context())
		require.ErrorIs(t, err, cuda.ErrClosed)
	})
}
