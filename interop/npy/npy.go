// Package npy reads and writes NumPy's .npy and .npz files.
//
// It covers formats 1.0, 2.0 and 3.0 with the fixed-width numeric types, in either byte order and either memory order; data
// come out little-endian, as they lie in a device's memory. Structured, object and string types are refused, so nothing
// that a file says is ever executed.
//
// ReadFile and WriteFile hold the elements as bytes; Elements and Of give them types. Into reads elements straight to where
// they belong, such as page-locked memory of a device, and Map maps a file without reading it.
// Source: NumPy's documentation of numpy.lib.format.
package npy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Header says what elements a file has.
type Header struct {
	// DType is NumPy's type without the byte order: i1 to i8, u1 to u8, f2, f4, f8, c8, c16 or b1.
	DType string
	// Shape is the extent in each dimension; empty for a scalar.
	Shape []int
	// Fortran: the first index varies fastest. Else the last.
	Fortran bool
}

// Array is the contents of one file.
type Array struct {
	Header
	// Data are the elements, little-endian.
	Data []byte
}

// sizes are the bytes of one element by DType.
var sizes = map[string]int{
	"b1": 1, "i1": 1, "u1": 1, "i2": 2, "u2": 2, "f2": 2, "i4": 4, "u4": 4, "f4": 4, "i8": 8, "u8": 8, "f8": 8, "c8": 8, "c16": 16,
}

// ElementBytes is the size of one element in bytes, 0 for an unknown type.
func (h *Header) ElementBytes() int { return sizes[h.DType] }

// Len is the number of elements.
func (h *Header) Len() int {
	n := 1
	for _, d := range h.Shape {
		n *= d
	}
	return n
}

// bytes is the size of all elements, if that is a size at all.
func (h *Header) bytes() (int, error) {
	n := h.ElementBytes()
	for _, d := range h.Shape {
		if d < 0 || d != 0 && n > (1<<62)/d {
			return 0, fmt.Errorf("shape %v is too large", h.Shape)
		}
		n *= d
	}
	return n, nil
}

const (
	magic = "\x93NUMPY"
	// maxHeader bounds the header, whose length field would allow 4 GiB.
	maxHeader = 1 << 20
	// chunk bounds how far allocation runs ahead of what a file really holds.
	chunk = 1 << 24
)

// ReadFile reads a file.
func ReadFile(name string) (*Array, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := Read(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// Read reads one array. It reads no further than its end.
func Read(r io.Reader) (*Array, error) {
	h, big, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	n, err := h.bytes()
	if err != nil {
		return nil, err
	}
	a := &Array{Header: h}
	if a.Data, err = readN(r, n); err != nil {
		return nil, short(&h, err)
	}
	if big {
		swap(a.Data, a.DType)
	}
	return a, nil
}

// short is the error of a file that ends too early.
func short(h *Header, err error) error {
	return fmt.Errorf("the file ends before %d elements of %s: %w", h.Len(), h.DType, err)
}

func readHeader(r io.Reader) (h Header, big bool, err error) {
	text, err := header(r)
	if err != nil {
		return Header{}, false, err
	}
	return parseHeader(text)
}

// readN reads n bytes, allocating as they come, so that a header cannot ask for more memory than the file has.
func readN(r io.Reader, n int) ([]byte, error) {
	buf := make([]byte, 0, min(n, chunk))
	for len(buf) < n {
		step := min(n-len(buf), chunk)
		buf = slices.Grow(buf, step)
		if _, err := io.ReadFull(r, buf[len(buf):len(buf)+step]); err != nil {
			return nil, err
		}
		buf = buf[:len(buf)+step]
	}
	return buf, nil
}

// swap turns big-endian elements round; a complex number has two parts.
func swap(data []byte, dtype string) {
	part := sizes[dtype]
	if dtype[0] == 'c' {
		part /= 2
	}
	for i := 0; i+part <= len(data); i += part {
		slices.Reverse(data[i : i+part])
	}
}

func header(r io.Reader) (string, error) {
	var fixed [8]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil || string(fixed[:6]) != magic {
		return "", errors.New("not an .npy file")
	}
	var n uint32
	switch fixed[6] {
	case 1:
		var short uint16
		if err := binary.Read(r, binary.LittleEndian, &short); err != nil {
			return "", err
		}
		n = uint32(short)
	case 2, 3:
		if err := binary.Read(r, binary.LittleEndian, &n); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("format %d.%d is not known", fixed[6], fixed[7])
	}
	if n > maxHeader {
		return "", fmt.Errorf("a header of %d bytes is too long", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return "", err
	}
	return string(text), nil
}

// Write writes an array in format 1.0, or 2.0 if the header is too long for it.
func Write(w io.Writer, a *Array) error {
	if a.ElementBytes() == 0 {
		return fmt.Errorf("type %q is not known", a.DType)
	}
	if n, err := a.bytes(); err != nil || n != len(a.Data) {
		return fmt.Errorf("%d bytes do not make shape %v of %s", len(a.Data), a.Shape, a.DType)
	}
	order := "<"
	if a.ElementBytes() == 1 {
		order = "|"
	}
	dims := make([]string, len(a.Shape))
	for i, d := range a.Shape {
		dims[i] = strconv.Itoa(d)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	fortran := "False"
	if a.Fortran {
		fortran = "True"
	}
	text := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': %s, 'shape': (%s), }", order, a.DType, fortran, shape)
	var b bytes.Buffer
	b.WriteString(magic)
	if fixed := 10; len(text)+64 < 1<<16 {
		text = pad(text, fixed)
		b.Write([]byte{1, 0})
		b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(text))))
	} else {
		text = pad(text, 12)
		b.Write([]byte{2, 0})
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(text))))
	}
	b.WriteString(text)
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	_, err := w.Write(a.Data)
	return err
}

// pad ends the header with a newline so that the data begin at a multiple of 64 bytes.
func pad(text string, fixed int) string {
	n := (fixed + len(text) + 1 + 63) / 64 * 64
	return text + strings.Repeat(" ", n-fixed-len(text)-1) + "\n"
}

// WriteFile writes a file; it is whole or not there.
func WriteFile(name string, a *Array) error {
	return whole(name, func(f *os.File) error { return Write(f, a) })
}

// whole lets write fill a file beside name, and moves it there when that has succeeded.
func whole(name string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".npy-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err = os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
