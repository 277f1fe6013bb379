package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Zip is an open .npz file: arrays under names. It is safe for concurrent use.
type Zip struct {
	r      *zip.Reader
	closer io.Closer
}

// OpenZip opens a file. Close it after use.
func OpenZip(name string) (*Zip, error) {
	r, err := zip.OpenReader(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Zip{&r.Reader, r}, nil
}

// NewZip reads the list of arrays of a file of size bytes.
func NewZip(r io.ReaderAt, size int64) (*Zip, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	return &Zip{r: z}, nil
}

// Names are the names of the arrays, in the file's order.
func (z *Zip) Names() []string {
	var names []string
	for _, f := range z.r.File {
		if name, ok := strings.CutSuffix(f.Name, ".npy"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Open returns the array of that name as a stream in the format of .npy, for Read and Into. The error wraps
// fs.ErrNotExist if there is none.
func (z *Zip) Open(name string) (io.ReadCloser, error) {
	for _, f := range z.r.File {
		if f.Name == name+".npy" {
			r, err := f.Open()
			if err != nil {
				return nil, fmt.Errorf("array %q: %w", name, err)
			}
			return r, nil
		}
	}
	return nil, fmt.Errorf("array %q: %w; there are %q", name, fs.ErrNotExist, z.Names())
}

// Read reads the array of that name. Its memory grows with what the file really holds, not with what it promises.
func (z *Zip) Read(name string) (*Array, error) {
	r, err := z.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	a, err := Read(r)
	if err == nil {
		// Reading to the end checks the sum of the whole, and that nothing follows.
		var n int64
		if n, err = io.Copy(io.Discard, r); err == nil && n > 0 {
			err = fmt.Errorf("%d bytes follow the elements", n)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	return a, nil
}

// Close closes the file. Closing again does nothing.
func (z *Zip) Close() error {
	if z.closer == nil {
		return nil
	}
	err := z.closer.Close()
	z.closer = nil
	return err
}

// ZipWriter writes an .npz file.
type ZipWriter struct {
	w      *zip.Writer
	method uint16
	names  map[string]bool
}

// NewZipWriter starts an .npz file on w; compressed as numpy.savez_compressed does, or not, as numpy.savez does.
func NewZipWriter(w io.Writer, compressed bool) *ZipWriter {
	method := zip.Store
	if compressed {
		method = zip.Deflate
	}
	return &ZipWriter{zip.NewWriter(w), method, map[string]bool{}}
}

// Write adds an array. A name can be used once.
func (w *ZipWriter) Write(name string, a *Array) error {
	if name == "" || w.names[name] {
		return fmt.Errorf("array %q: there must be one of each name", name)
	}
	w.names[name] = true
	f, err := w.w.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: w.method})
	if err == nil {
		err = Write(f, a)
	}
	if err != nil {
		return fmt.Errorf("array %q: %w", name, err)
	}
	return nil
}

// Close ends the file; it does not close what the file is written to.
func (w *ZipWriter) Close() error { return w.w.Close() }

// WriteZip writes arrays to a file of that name, not compressed, in the order of the names; it is whole or not there.
func WriteZip(name string, names []string, arrays map[string]*Array) error {
	return whole(name, func(f *os.File) error {
		w := NewZipWriter(f, false)
		for _, n := range names {
			a, ok := arrays[n]
			if !ok {
				return errors.Join(fmt.Errorf("array %q: %w", n, fs.ErrNotExist), w.Close())
			}
			if err := w.Write(n, a); err != nil {
				return err
			}
		}
		return w.Close()
	})
}
