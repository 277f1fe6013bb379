// Package image moves pictures between Go's image package and device memory.
//
// A Picture is rows of pixels in a buffer of bytes, from the top, without gaps. Upload keeps the layout of Go's own image
// types, so that no pixel is converted; any other image becomes RGBA. Components of 16 bits are in the byte order of the
// device, little-endian, where Go's types have them big-endian.
package image

import (
	"context"
	"fmt"
	"image"
	"image/draw"

	"github.com/tandem-go/tandem/cuda"
)

// Format is what a pixel consists of.
type Format uint8

// Formats. The premultiplied ones have colours that are multiplied by alpha already.
const (
	// Gray is one byte.
	Gray Format = iota + 1
	// Gray16 is one number of 16 bits.
	Gray16
	// RGBA is four bytes R, G, B, A, premultiplied.
	RGBA
	// NRGBA is four bytes R, G, B, A.
	NRGBA
	// RGBA64 is four numbers of 16 bits R, G, B, A, premultiplied.
	RGBA64
	// NRGBA64 is four numbers of 16 bits R, G, B, A.
	NRGBA64
)

// formats are the facts of each format.
var formats = [...]struct {
	name  string
	bytes int
	wide  bool // components of 16 bits
}{Gray: {"gray", 1, false}, Gray16: {"gray16", 2, true}, RGBA: {"rgba", 4, false}, NRGBA: {"nrgba", 4, false}, RGBA64: {"rgba64", 8, true}, NRGBA64: {"nrgba64", 8, true}}

func (f Format) known() bool { return f >= Gray && f <= NRGBA64 }

// Bytes is the size of a pixel in bytes.
func (f Format) Bytes() int {
	if !f.known() {
		return 0
	}
	return formats[f].bytes
}

// String returns the name of Go's type in lower case.
func (f Format) String() string {
	if !f.known() {
		return fmt.Sprintf("Format(%d)", uint8(f))
	}
	return formats[f].name
}

// MaxPixels bounds the pixels of a picture, so that a file of a few bytes that says it has more is refused.
const MaxPixels = 1 << 30

// Picture is a picture in device memory. It owns Pix: Close frees it. Its methods may be called from several goroutines,
// as those of a Buffer.
type Picture struct {
	// Pix are the pixels, row by row from the top: Stride() bytes each.
	Pix *cuda.Buffer[uint8]
	// Format is what a pixel consists of.
	Format Format
	// Width and Height are in pixels.
	Width, Height int
}

// Stride is the bytes of a row.
func (p *Picture) Stride() int { return p.Width * p.Format.Bytes() }

// New makes a picture whose pixels are not defined.
func New(dev *cuda.Device, format Format, width, height int) (*Picture, error) {
	if !format.known() {
		return nil, fmt.Errorf("make a picture: unknown format %v", format)
	}
	if width <= 0 || height <= 0 || width > MaxPixels/height {
		return nil, fmt.Errorf("make a picture: %d x %d pixels are not between 1 and %d", width, height, MaxPixels)
	}
	b, err := cuda.Alloc[uint8](dev, width*height*format.Bytes())
	if err != nil {
		return nil, fmt.Errorf("make a picture of %d x %d pixels: %w", width, height, err)
	}
	return &Picture{b, format, width, height}, nil
}

// Upload copies an image to a new picture. Images of other types than the formats' are drawn to RGBA first.
func Upload(ctx context.Context, dev *cuda.Device, img image.Image) (*Picture, error) {
	format, pix, err := packed(img)
	if err != nil {
		return nil, fmt.Errorf("upload an image: %w", err)
	}
	p, err := New(dev, format, img.Bounds().Dx(), img.Bounds().Dy())
	if err != nil {
		return nil, err
	}
	if err := p.Pix.CopyFrom(ctx, pix); err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("upload an image: %w", err)
	}
	return p, nil
}

// Set copies an image of the same size and type into the picture.
func (p *Picture) Set(ctx context.Context, img image.Image) error {
	format, pix, err := packed(img)
	if err != nil {
		return fmt.Errorf("set a picture: %w", err)
	}
	if b := img.Bounds(); format != p.Format || b.Dx() != p.Width || b.Dy() != p.Height {
		return fmt.Errorf("set a picture of %d x %d %v: the image is %d x %d %v", p.Width, p.Height, p.Format, b.Dx(), b.Dy(), format)
	}
	return p.Pix.CopyFrom(ctx, pix)
}

// Download copies the picture to an image of the Go type that its format is named after.
func (p *Picture) Download(ctx context.Context) (image.Image, error) {
	pix, err := p.Pix.Download(ctx)
	if err != nil {
		return nil, fmt.Errorf("download a picture of %d x %d %v: %w", p.Width, p.Height, p.Format, err)
	}
	if !p.Format.known() || len(pix) != p.Stride()*p.Height {
		return nil, fmt.Errorf("download a picture of %d x %d %v: it has %d bytes", p.Width, p.Height, p.Format, len(pix))
	}
	if formats[p.Format].wide {
		swap16(pix)
	}
	stride, r := p.Stride(), image.Rect(0, 0, p.Width, p.Height)
	switch p.Format {
	case Gray:
		return &image.Gray{Pix: pix, Stride: stride, Rect: r}, nil
	case Gray16:
		return &image.Gray16{Pix: pix, Stride: stride, Rect: r}, nil
	case RGBA:
		return &image.RGBA{Pix: pix, Stride: stride, Rect: r}, nil
	case NRGBA:
		return &image.NRGBA{Pix: pix, Stride: stride, Rect: r}, nil
	case RGBA64:
		return &image.RGBA64{Pix: pix, Stride: stride, Rect: r}, nil
	}
	return &image.NRGBA64{Pix: pix, Stride: stride, Rect: r}, nil
}

// Close frees the pixels.
func (p *Picture) Close() error { return p.Pix.Close() }

// packed returns the pixels of img without gaps between rows, in the device's byte order. They may be img's own memory.
func packed(img image.Image) (Format, []byte, error) {
	b := img.Bounds()
	if b.Empty() || b.Dx() > MaxPixels/b.Dy() {
		return 0, nil, fmt.Errorf("%v is not between 1 and %d pixels", b, MaxPixels)
	}
	switch m := img.(type) {
	case *image.Gray:
		return pack(Gray, m.Pix, m.Stride, m.PixOffset(b.Min.X, b.Min.Y), b)
	case *image.Gray16:
		return pack(Gray16, m.Pix, m.Stride, m.PixOffset(b.Min.X, b.Min.Y), b)
	case *image.RGBA:
		return pack(RGBA, m.Pix, m.Stride, m.PixOffset(b.Min.X, b.Min.Y), b)
	case *image.NRGBA:
		return pack(NRGBA, m.Pix, m.Stride, m.PixOffset(b.Min.X, b.Min.Y), b)
	case *image.RGBA64:
		return pack(RGBA64, m.Pix, m.Stride, m.PixOffset(b.Min.X, b.Min.Y), b)
	case *image.NRGBA64:
		return pack(NRGBA64, m.Pix, m.Stride, m.PixOffset(b.Min.X, b.Min.Y), b)
	}
	m := image.NewRGBA(b)
	draw.Draw(m, b, img, b.Min, draw.Src)
	return RGBA, m.Pix, nil
}

func pack(f Format, pix []byte, stride, at int, b image.Rectangle) (Format, []byte, error) {
	row := b.Dx() * f.Bytes()
	if stride < row || at < 0 || len(pix)-at < (b.Dy()-1)*stride+row {
		return 0, nil, fmt.Errorf("an image of %v with a stride of %d has only %d bytes", b, stride, len(pix))
	}
	wide := formats[f].wide
	if stride == row && !wide {
		return f, pix[at : at+b.Dy()*row], nil
	}
	out := make([]byte, 0, b.Dy()*row)
	for y := range b.Dy() {
		out = append(out, pix[at+y*stride:at+y*stride+row]...)
	}
	if wide {
		swap16(out)
	}
	return f, out, nil
}

// swap16 turns the byte order of numbers of 16 bits.
func swap16(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
}
