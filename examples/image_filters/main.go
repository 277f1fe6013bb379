// Command image_filters filters a picture on the GPU, or on the CPU if there is none: luma, Gaussian, Sobel's edges, equal
// histogram.
//
// It reads a PNG or JPEG file, or makes a scene of its own, writes one PNG for each step, and checks every pixel against the
// same filters in Go.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg" // registers its decoder
	"image/png"
	"io"
	"os"
	"path/filepath"

	"github.com/tandem-go/tandem/cuda"
	pictures "github.com/tandem-go/tandem/interop/image"
)

//go:embed filters.cu
var source string

// embedded is PTX made from source by `go generate`: it runs where NVIDIA's compiler is not installed.
//
//go:generate go test -run TestEmbedded -args -rewrite
//go:embed filters.ptx
var embedded []byte

func main() {
	in := flag.String("in", "", "`file` to filter; without it, a scene of 640 x 480 pixels")
	out := flag.String("out", ".", "`folder` for the pictures")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "image_filters:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, in, out string) error {
	img, err := input(in)
	if err != nil {
		return err
	}
	dev, err := cuda.Default()
	if err != nil {
		return err
	}
	c, err := newChain(ctx, dev, img)
	if err != nil {
		return err
	}
	defer c.close()
	results, err := c.run(ctx)
	if err != nil {
		return err
	}
	want := reference(img)
	for i, name := range steps {
		got, ok := results[i].(*image.Gray)
		if !ok {
			return fmt.Errorf("%s: a picture of type %T", name, results[i])
		}
		if n := differ(want[i].Pix, got.Pix); n > 0 {
			return fmt.Errorf("%s: %d pixels differ from the same filter in Go", name, n)
		}
		file := filepath.Join(out, name+".png")
		if err := write(file, got); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: as in Go\n", file)
	}
	fmt.Fprintf(w, "device: %s (%s)\n", dev.Info().Name, dev.Info().ID)
	return nil
}

// steps are the results of a chain, in order.
var steps = [...]string{"luma", "gaussian", "sobel", "equalized"}

// chain is the filters for one picture with all memory they need.
type chain struct {
	dev           *cuda.Device
	mod           *cuda.Module
	width, height int
	in            *pictures.Picture
	out           [len(steps)]*pictures.Picture
	between       *pictures.Picture
	counts        *cuda.Buffer[uint32]
	table         *cuda.Buffer[uint8]
}

func newChain(ctx context.Context, dev *cuda.Device, img image.Image) (c *chain, err error) {
	c = &chain{dev: dev, width: img.Bounds().Dx(), height: img.Bounds().Dy()}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.mod, err = dev.Compile(ctx, source, cuda.CompileConfig{Name: "filters.cu", Embedded: embedded}); err != nil {
		return c, err
	}
	if c.in, err = pictures.Upload(ctx, dev, img); err != nil {
		return c, err
	}
	for i := range c.out {
		if c.out[i], err = pictures.New(dev, pictures.Gray, c.width, c.height); err != nil {
			return c, err
		}
	}
	if c.between, err = pictures.New(dev, pictures.Gray, c.width, c.height); err != nil {
		return c, err
	}
	if c.counts, err = cuda.Alloc[uint32](dev, 256); err != nil {
		return c, err
	}
	c.table, err = cuda.Alloc[uint8](dev, 256)
	return c, err
}

func (c *chain) close() error {
	var errs []error
	for _, p := range append(c.out[:], c.in, c.between) {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if c.counts != nil {
		errs = append(errs, c.counts.Close())
	}
	if c.table != nil {
		errs = append(errs, c.table.Close())
	}
	if c.mod != nil {
		errs = append(errs, c.mod.Close())
	}
	return errors.Join(errs...)
}

// run applies the filters. All launches are queued on one stream, one behind the other.
func (c *chain) run(ctx context.Context) (results [len(steps)]image.Image, err error) {
	s, err := c.dev.NewStream(cuda.StreamConfig{})
	if err != nil {
		return results, err
	}
	defer s.Close()
	if err := c.queue(s); err != nil {
		return results, err
	}
	if err := s.Wait(ctx); err != nil {
		return results, err
	}
	for i, p := range c.out {
		if results[i], err = p.Download(ctx); err != nil {
			return results, err
		}
	}
	return results, nil
}

// queue queues the launches of the chain.
func (c *chain) queue(s *cuda.Stream) error {
	n := c.width * c.height
	w, h, count := int32(c.width), int32(c.height), int32(n)
	line := cuda.LaunchConfig{Grid: cuda.D1((n + 255) / 256), Block: cuda.D1(256), Stream: s}
	few := cuda.LaunchConfig{Grid: cuda.D1(min(64, (n+255)/256)), Block: cuda.D1(256), Stream: s}
	one := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(256), Stream: s}
	tiles := cuda.LaunchConfig{Grid: cuda.D2((c.width+31)/32, (c.height+7)/8), Block: cuda.D2(32, 8), Stream: s}
	luma, gaussian, sobel, equalized := c.out[0].Pix, c.out[1].Pix, c.out[2].Pix, c.out[3].Pix
	if err := c.counts.Fill(0, s); err != nil {
		return err
	}
	for _, l := range []struct {
		kernel string
		cfg    cuda.LaunchConfig
		args   []any
	}{
		{"luma", line, []any{luma, c.in.Pix, count}},
		{"gaussian", tiles, []any{c.between.Pix, luma, w, h, int32(1), int32(0)}},
		{"gaussian", tiles, []any{gaussian, c.between.Pix, w, h, int32(0), int32(1)}},
		{"sobel", tiles, []any{sobel, gaussian, w, h}},
		{"histogram", few, []any{c.counts, luma, count}},
		{"spread", one, []any{c.table, c.counts, uint32(n)}},
		{"replace", line, []any{equalized, luma, c.table, count}},
	} {
		f, err := c.mod.Function(l.kernel)
		if err != nil {
			return err
		}
		if err := f.Launch(l.cfg, l.args...); err != nil {
			return err
		}
	}
	return nil
}

func input(name string) (image.Image, error) {
	if name == "" {
		return scene(640, 480), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cfg, _, err := image.DecodeConfig(f)
	if err == nil && (cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > pictures.MaxPixels/cfg.Height) {
		err = fmt.Errorf("%d x %d pixels", cfg.Width, cfg.Height)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	var img image.Image
	if err == nil {
		img, _, err = image.Decode(f)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rgba(img), nil
}

func write(name string, img image.Image) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}
