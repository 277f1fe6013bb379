// Package gonum moves matrices and vectors of gonum to device memory and back.
//
// In device memory they are packed: a matrix lies row by row without gaps, a vector element by element. The rows of a gonum
// matrix may be apart (Stride), and so may the elements of a vector (Inc): only what belongs to it is read and written, so a
// view of a larger matrix can be uploaded, and downloaded into, without touching its surroundings.
//
// A mat.Dense or mat.VecDense gives what the functions take by RawMatrix and RawVector:
//
//	a, err := gonum.Upload64(ctx, dev, m.RawMatrix())
//	err = gonum.Download64(ctx, a, m.RawMatrix())
//
// Functions copy on the device's default stream and return when the copy is done. Errors of shapes wrap ErrShape.
package gonum

import (
	"context"
	"errors"
	"fmt"

	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/cblas128"
	"gonum.org/v1/gonum/blas/cblas64"

	"github.com/tandem-go/tandem/cuda"
)

// ErrShape says that a matrix or vector contradicts itself, or does not fit the buffer.
var ErrShape = errors.New("wrong shape")

// general is any matrix: rows of elements, stride apart.
type general[T cuda.Element] struct {
	rows, cols, stride int
	data               []T
}

// check says what is wrong with g.
func (g general[T]) check() error {
	switch {
	case g.rows < 0 || g.cols < 0:
		return fmt.Errorf("%w: %d x %d", ErrShape, g.rows, g.cols)
	case g.rows == 0 || g.cols == 0:
		return nil
	case g.stride < g.cols:
		return fmt.Errorf("%w: %d x %d with rows %d apart", ErrShape, g.rows, g.cols, g.stride)
	case g.rows-1 > (len(g.data)-g.cols)/g.stride || len(g.data) < g.cols:
		return fmt.Errorf("%w: %d x %d with rows %d apart in %d elements", ErrShape, g.rows, g.cols, g.stride, len(g.data))
	}
	return nil
}

// packed returns the elements without gaps: the matrix's own memory where there are none.
func (g general[T]) packed() []T {
	if g.stride == g.cols || g.rows <= 1 {
		return g.data[:g.rows*g.cols]
	}
	xs := make([]T, 0, g.rows*g.cols)
	for i := range g.rows {
		xs = append(xs, g.data[i*g.stride:i*g.stride+g.cols]...)
	}
	return xs
}

// set writes packed elements back, unless they are the matrix's own memory.
func (g general[T]) set(xs []T) {
	if g.stride == g.cols || g.rows <= 1 {
		return
	}
	for i := range g.rows {
		copy(g.data[i*g.stride:i*g.stride+g.cols], xs[i*g.cols:])
	}
}

func upload[T cuda.Element](ctx context.Context, dev *cuda.Device, g general[T]) (*cuda.Buffer[T], error) {
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("upload a matrix: %w", err)
	}
	if g.rows == 0 || g.cols == 0 {
		return cuda.Alloc[T](dev, 0)
	}
	return cuda.Upload(ctx, dev, g.packed())
}

func download[T cuda.Element](ctx context.Context, b *cuda.Buffer[T], g general[T]) error {
	if err := g.check(); err != nil {
		return fmt.Errorf("download a matrix: %w", err)
	}
	if b.Len() != g.rows*g.cols {
		return fmt.Errorf("download a matrix: %w: %d elements to %d x %d", ErrShape, b.Len(), g.rows, g.cols)
	}
	if b.Len() == 0 {
		return nil
	}
	xs := g.data[:0]
	if g.stride == g.cols || g.rows <= 1 {
		xs = g.data[:g.rows*g.cols]
	} else {
		xs = make([]T, g.rows*g.cols)
	}
	if err := b.CopyTo(ctx, xs); err != nil {
		return err
	}
	g.set(xs)
	return nil
}

// vector is v as a matrix of one column. Gonum's negative increments walk backwards from the end.
func vector[T cuda.Element](n, inc int, data []T) (general[T], bool, error) {
	if inc == 0 {
		return general[T]{}, false, fmt.Errorf("%w: a vector with an increment of 0", ErrShape)
	}
	backwards := inc < 0
	if backwards {
		inc = -inc
	}
	return general[T]{n, 1, inc, data}, backwards, nil
}

func uploadVector[T cuda.Element](ctx context.Context, dev *cuda.Device, n, inc int, data []T) (*cuda.Buffer[T], error) {
	g, backwards, err := vector(n, inc, data)
	if err == nil {
		err = g.check()
	}
	if err != nil {
		return nil, fmt.Errorf("upload a vector: %w", err)
	}
	if n == 0 {
		return cuda.Alloc[T](dev, 0)
	}
	xs := g.packed()
	if backwards {
		xs = reversed(xs)
	}
	return cuda.Upload(ctx, dev, xs)
}

func downloadVector[T cuda.Element](ctx context.Context, b *cuda.Buffer[T], n, inc int, data []T) error {
	g, backwards, err := vector(n, inc, data)
	if err == nil {
		err = g.check()
	}
	if err == nil && b.Len() != n {
		err = fmt.Errorf("%w: %d elements to %d", ErrShape, b.Len(), n)
	}
	if err != nil {
		return fmt.Errorf("download a vector: %w", err)
	}
	xs, err := b.Download(ctx)
	if err != nil {
		return err
	}
	if backwards {
		xs = reversed(xs)
	}
	for i, x := range xs {
		data[i*g.stride] = x
	}
	return nil
}

func reversed[T any](xs []T) []T {
	out := make([]T, len(xs))
	for i, x := range xs {
		out[len(xs)-1-i] = x
	}
	return out
}

// Upload32 copies a matrix to a new buffer of m.Rows*m.Cols elements.
func Upload32(ctx context.Context, dev *cuda.Device, m blas32.General) (*cuda.Buffer[float32], error) {
	return upload(ctx, dev, general[float32]{m.Rows, m.Cols, m.Stride, m.Data})
}

// Download32 copies a buffer of m.Rows*m.Cols elements into m. After an error m may have been changed.
func Download32(ctx context.Context, b *cuda.Buffer[float32], m blas32.General) error {
	return download(ctx, b, general[float32]{m.Rows, m.Cols, m.Stride, m.Data})
}

// Upload64 copies a matrix to a new buffer of m.Rows*m.Cols elements. For a mat.Dense: m.RawMatrix().
func Upload64(ctx context.Context, dev *cuda.Device, m blas64.General) (*cuda.Buffer[float64], error) {
	return upload(ctx, dev, general[float64]{m.Rows, m.Cols, m.Stride, m.Data})
}

// Download64 copies a buffer of m.Rows*m.Cols elements into m. After an error m may have been changed.
func Download64(ctx context.Context, b *cuda.Buffer[float64], m blas64.General) error {
	return download(ctx, b, general[float64]{m.Rows, m.Cols, m.Stride, m.Data})
}

// UploadC64 copies a matrix of complex64 to a new buffer of m.Rows*m.Cols elements.
func UploadC64(ctx context.Context, dev *cuda.Device, m cblas64.General) (*cuda.Buffer[complex64], error) {
	return upload(ctx, dev, general[complex64]{m.Rows, m.Cols, m.Stride, m.Data})
}

// DownloadC64 copies a buffer of m.Rows*m.Cols elements into m. After an error m may have been changed.
func DownloadC64(ctx context.Context, b *cuda.Buffer[complex64], m cblas64.General) error {
	return download(ctx, b, general[complex64]{m.Rows, m.Cols, m.Stride, m.Data})
}

// UploadC128 copies a matrix of complex128, such as that of a mat.CDense, to a new buffer of m.Rows*m.Cols elements.
func UploadC128(ctx context.Context, dev *cuda.Device, m cblas128.General) (*cuda.Buffer[complex128], error) {
	return upload(ctx, dev, general[complex128]{m.Rows, m.Cols, m.Stride, m.Data})
}

// DownloadC128 copies a buffer of m.Rows*m.Cols elements into m. After an error m may have been changed.
func DownloadC128(ctx context.Context, b *cuda.Buffer[complex128], m cblas128.General) error {
	return download(ctx, b, general[complex128]{m.Rows, m.Cols, m.Stride, m.Data})
}

// UploadVector32 copies a vector to a new buffer of v.N elements, in the order in which BLAS walks it.
func UploadVector32(ctx context.Context, dev *cuda.Device, v blas32.Vector) (*cuda.Buffer[float32], error) {
	return uploadVector(ctx, dev, v.N, v.Inc, v.Data)
}

// DownloadVector32 copies a buffer of v.N elements into v.
func DownloadVector32(ctx context.Context, b *cuda.Buffer[float32], v blas32.Vector) error {
	return downloadVector(ctx, b, v.N, v.Inc, v.Data)
}

// UploadVector64 copies a vector to a new buffer of v.N elements, in the order in which BLAS walks it. For a
// mat.VecDense: v.RawVector().
func UploadVector64(ctx context.Context, dev *cuda.Device, v blas64.Vector) (*cuda.Buffer[float64], error) {
	return uploadVector(ctx, dev, v.N, v.Inc, v.Data)
}

// DownloadVector64 copies a buffer of v.N elements into v.
func DownloadVector64(ctx context.Context, b *cuda.Buffer[float64], v blas64.Vector) error {
	return downloadVector(ctx, b, v.N, v.Inc, v.Data)
}
