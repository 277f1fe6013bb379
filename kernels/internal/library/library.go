// Package library loads the kernels of a package in variants, one for each element type or operation, when they are first
// needed.
//
// A package of kernels has one CUDA C++ source. Make compiles it once for each variant, with macros that choose types and
// operations; the PTX of all of them is embedded compressed, so that none needs NVRTC at run time, and a program that sorts
// float32 never reads the code for int64.
package library

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/cuda"
)

// Variant is a name and the options that make it, such as "-DT=float".
type Variant struct {
	Name    string
	Options []string
}

// Options are what every variant is compiled with: products and sums are not contracted, so that every device gives the
// same bits.
var options = []string{"--fmad=false", "--std=c++17"}

// Make compiles a source in all variants. file is the source's name. The result is for Open.
func Make(ctx context.Context, file, source string, variants []Variant) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, v := range variants {
		cfg := cuda.CompileConfig{Name: file, Options: slices.Concat(options, v.Options)}
		ptx, _, err := cuda.CompilePTX(ctx, source, cfg)
		if err != nil {
			return nil, fmt.Errorf("variant %s: %w", v.Name, err)
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: v.Name, Method: zip.Deflate})
		if err == nil {
			_, err = w.Write(ptx)
		}
		if err != nil {
			return nil, fmt.Errorf("variant %s: %w", v.Name, err)
		}
	}
	if err := z.SetComment(madeFrom(source, variants)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// madeFrom names what variants are made from.
func madeFrom(source string, variants []Variant) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n%q\n", len(source), source, options)
	for _, v := range variants {
		fmt.Fprintf(h, "%q %q\n", v.Name, v.Options)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Archive is the embedded variants of one source. It may be used from any goroutine.
type Archive struct {
	file string
	open func() (*zip.Reader, error)
}

// Open returns the archive that Make made; it is read when the first variant is asked for. file names it in errors.
func Open(file string, data []byte) *Archive {
	return &Archive{file, sync.OnceValues(func() (*zip.Reader, error) { return zip.NewReader(bytes.NewReader(data), int64(len(data))) })}
}

// Check returns an error if the archive was not made from this source and these variants.
func (a *Archive) Check(source string, variants []Variant) error {
	z, err := a.open()
	if err != nil {
		return fmt.Errorf("%s: %w", a.file, err)
	}
	if z.Comment != madeFrom(source, variants) {
		return fmt.Errorf("%s: the source or the list of variants was changed after it was made: run make gen", a.file)
	}
	return nil
}

// PTX returns the code of a variant.
func (a *Archive) PTX(variant string) ([]byte, error) {
	z, err := a.open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.file, err)
	}
	f, err := z.Open(variant)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.file, err)
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Library is the kernels of an archive on one device, and memory for temporary results. It may be used from any goroutine.
type Library struct {
	dev     *cuda.Device
	archive *Archive
	pool    *cuda.MemoryPool

	mu   sync.Mutex
	mods map[string]*cuda.Module      // guarded by mu: by variant
	fns  map[[2]string]*cuda.Function // guarded by mu: by variant and kernel
}

// New makes a library without any kernel loaded of the variants that Make made; file names them in errors.
func New(dev *cuda.Device, file string, made []byte) *Library {
	return &Library{dev: dev, archive: Open(file, made), pool: dev.NewMemoryPool(), mods: map[string]*cuda.Module{}, fns: map[[2]string]*cuda.Function{}}
}

// Device returns the device that the library is for.
func (l *Library) Device() *cuda.Device { return l.dev }

// Host reports whether the device is the host device.
func (l *Library) Host() bool { return l.dev.Info().Kind == cuda.Host }

// Close unloads the kernels and frees the temporary memory. Work that is queued goes on; a second Close does nothing.
func (l *Library) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, m := range l.mods {
		errs = append(errs, m.Close())
	}
	clear(l.mods)
	clear(l.fns)
	return errors.Join(append(errs, l.pool.Close())...)
}

// Function returns a kernel of a variant, which it loads if it is the first of the variant. ctx bounds the loading.
func (l *Library) Function(ctx context.Context, variant, kernel string) (*cuda.Function, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]string{variant, kernel}
	if f := l.fns[key]; f != nil {
		return f, nil
	}
	m := l.mods[variant]
	if m == nil {
		ptx, err := l.archive.PTX(variant)
		if err != nil {
			return nil, err
		}
		if m, err = l.dev.Load(ctx, ptx, cuda.LoadConfig{Name: variant + ".ptx"}); err != nil {
			return nil, err
		}
		l.mods[variant] = m
	}
	f, err := m.Function(kernel)
	if err != nil {
		return nil, err
	}
	l.fns[key] = f
	return f, nil
}

// Launch queues a kernel over blocks of threads; none are no work. s is nil for the default stream.
func (l *Library) Launch(ctx context.Context, variant, kernel string, blocks, threads int, s *cuda.Stream, args ...any) error {
	if blocks == 0 {
		return nil
	}
	f, err := l.Function(ctx, variant, kernel)
	if err != nil {
		return err
	}
	return f.Launch(cuda.LaunchConfig{Grid: cuda.D1(blocks), Block: cuda.D1(threads), Stream: s}, args...)
}

// Adopt makes a module that the caller compiled a variant. The library closes it.
func (l *Library) Adopt(variant string, m *cuda.Module) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mods[variant] = m
}
