// Package linalg multiplies matrices and vectors in device memory: the BLAS operations gemm, also for batches, gemv and ger, for
// real and complex numbers of both precisions.
//
// Matrices are row-major, as in package gonum/blas and in NumPy: element (i, j) is Data[i·Stride + j]. A column-major matrix is
// the transpose of a row-major one with the same memory.
//
// Each element of a matrix product is alpha times a sum, which is made by fused multiply-adds with ascending inner index, plus beta
// times what was there. The order depends on nothing else, so every device gives the same bits. The error of an element is
// at most |alpha|·γ(k)·Σ|a||b| plus two roundings of the result, where γ(k) = k·u/(1-k·u), u is 2^-24 or 2^-53, and k is
// the inner dimension; for complex numbers γ(2k)·√2 (Higham, Accuracy and Stability of Numerical Algorithms, sections 3.1 and 3.6). If beta is
// 0, the output is not read; if alpha is 0, the other operands are not.
//
// Calls queue their work on a stream (nil is the default stream) and return; the context bounds the loading of kernels.
// Shapes that do not fit, strides that are too small, buffers that are too short, outputs that overlap inputs are errors that name
// the numbers; then nothing is queued. Temporary memory belongs to a pool of the Library.
package linalg

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

//go:generate go test -run TestEmbedded -args -rewrite
//go:embed linalg.zip
var archive []byte

// Number is what matrices are made of.
type Number interface {
	float32 | float64 | complex64 | complex128
}

// Transpose says how a matrix enters an operation.
type Transpose int

// A matrix as it is, its transpose, and the complex conjugate of its transpose.
const (
	NoTrans Transpose = iota
	Trans
	ConjTrans
)

// String names the way: "transposed".
func (t Transpose) String() string {
	switch t {
	case NoTrans:
		return "as it is"
	case Trans:
		return "transposed"
	case ConjTrans:
		return "conjugate transposed"
	}
	return fmt.Sprintf("Transpose(%d)", int(t))
}

// Matrix is a row-major view of a buffer: element (i, j) is Data[i·Stride + j].
type Matrix[T Number] struct {
	Rows, Cols int
	// Stride is the distance of rows in elements, at least Cols; 0 is Cols.
	Stride int
	// Data has at least (Rows-1)·Stride + Cols elements.
	Data *cuda.Buffer[T]
}

// Vector is a view of every Step-th element of a buffer.
type Vector[T Number] struct {
	N int
	// Step is the distance of elements, at least 1; 0 is 1.
	Step int
	// Data has at least (N-1)·Step + 1 elements.
	Data *cuda.Buffer[T]
}

// Library is the products on one device. It may be used from any goroutine.
type Library struct {
	lib  *library.Library
	path path
}

// path chooses between kernels that give the same bits.
type path int

const (
	byDevice path = iota // wide for large products on the host device, else tile
	alwaysWide
	alwaysTile
)

// New returns the products of a device. Kernels are loaded when they are first needed. The caller may close the Library, and
// need not.
func New(dev *cuda.Device) *Library { return &Library{lib: library.New(dev, "linalg.zip", archive)} }

// Close unloads the kernels and frees temporary memory. Work that is queued goes on; a second Close does nothing.
func (l *Library) Close() error { return l.lib.Close() }

// Gemm queues C = alpha·op(A)·op(B) + beta·C, where op is as is, transposed or conjugate transposed; op(A) is C.Rows by k,
// op(B) k by C.Cols. C shares no memory with A or B.
func Gemm[T Number](ctx context.Context, l *Library, transA, transB Transpose, alpha T, a, b Matrix[T], beta T, c Matrix[T], s *cuda.Stream) error {
	return gemm(ctx, l, "gemm", transA, transB, 1, alpha, Batch[T]{a, 0}, Batch[T]{b, 0}, beta, Batch[T]{c, 0}, s)
}

// Batch is matrices of one shape at a distance in one buffer: element (i, j) of matrix q is Data[q·Next + i·Stride + j].
type Batch[T Number] struct {
	Matrix[T]
	// Next is the distance of matrices in elements; 0 is one matrix for all products, which only an input may be.
	Next int
}

// GemmBatched is Gemm for count triples of matrices. The matrices of c do not share elements.
func GemmBatched[T Number](ctx context.Context, l *Library, transA, transB Transpose, count int, alpha T, a, b Batch[T], beta T, c Batch[T],
	s *cuda.Stream) error {
	return gemm(ctx, l, "batched gemm", transA, transB, count, alpha, a, b, beta, c, s)
}

// Gemv queues y = alpha·op(A)·x + beta·y. y shares no memory with A or x. An element is the sum of 32 partial sums (as is) or of
// one for each 256 rows (transposed), each made by fused multiply-adds; its error is at most |alpha|·γ(k)·Σ|a||x| and two roundings,
// as for Gemm.
func Gemv[T Number](ctx context.Context, l *Library, trans Transpose, alpha T, a Matrix[T], x Vector[T], beta T, y Vector[T], s *cuda.Stream) error {
	return gemv(ctx, l, trans, alpha, a, x, beta, y, s)
}

// Ger queues A = A + alpha·x·yᵀ, or with ConjTrans alpha·x·yᴴ; NoTrans is an error. Each element has three roundings. A shares no
// memory with x or y.
func Ger[T Number](ctx context.Context, l *Library, trans Transpose, alpha T, x, y Vector[T], a Matrix[T], s *cuda.Stream) error {
	return ger(ctx, l, trans, alpha, x, y, a, s)
}
