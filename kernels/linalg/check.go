package linalg

import (
	"fmt"
	"math"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

// stride is the distance of rows.
func (m Matrix[T]) stride() int {
	if m.Stride == 0 {
		return max(m.Cols, 1)
	}
	return m.Stride
}

// step is the distance of elements.
func (v Vector[T]) step() int { return max(v.Step, 1) }

// shape is rows and columns as the operation sees them.
func (m Matrix[T]) shape(t Transpose) (rows, cols int) {
	if t == NoTrans {
		return m.Rows, m.Cols
	}
	return m.Cols, m.Rows
}

// steps are the distances of rows and of columns as the operation sees them.
func (m Matrix[T]) steps(t Transpose) (row, col uint64) {
	if t == NoTrans {
		return uint64(m.stride()), 1
	}
	return 1, uint64(m.stride())
}

// check returns an error if the matrix is none, or if its buffer is too short for count of them at a distance.
func (m Matrix[T]) check(l *library.Library, name string, count, next int) error {
	switch {
	case m.Data == nil:
		return fmt.Errorf("%s has no buffer: %w", name, cuda.ErrInvalidValue)
	case m.Rows < 0 || m.Cols < 0:
		return fmt.Errorf("%s is %d by %d: %w", name, m.Rows, m.Cols, cuda.ErrInvalidValue)
	case m.Rows > math.MaxInt32 || m.Cols > math.MaxInt32:
		return fmt.Errorf("%s is %d by %d: at most %d each: %w", name, m.Rows, m.Cols, math.MaxInt32, cuda.ErrInvalidValue)
	case m.Stride != 0 && m.Stride < m.Cols:
		return fmt.Errorf("%s has %d columns and stride %d: %w", name, m.Cols, m.Stride, cuda.ErrInvalidValue)
	case next < 0:
		return fmt.Errorf("%s: the next matrix is %d elements away: %w", name, next, cuda.ErrInvalidValue)
	}
	if m.Rows > 0 && m.Cols > 0 && count > 0 {
		need := need(count, next, m.Rows, m.stride(), m.Cols)
		if need < 0 || need > m.Data.Len() {
			return fmt.Errorf("%s: %d matrices %d apart of %d by %d with stride %d have %d elements, the buffer has %d: %w",
				name, count, next, m.Rows, m.Cols, m.stride(), need, m.Data.Len(), cuda.ErrLength)
		}
	}
	return library.On(l, name, m.Data)
}

// need is the number of elements from the first to the last; -1 if it is no int.
func need(count, next, rows, stride, cols int) int {
	total := (float64(count)-1)*float64(next) + (float64(rows)-1)*float64(stride) + float64(cols)
	if total > math.MaxInt64/2 {
		return -1
	}
	return (count-1)*next + (rows-1)*stride + cols
}

func (v Vector[T]) check(l *library.Library, name string) error {
	if v.Data == nil {
		return fmt.Errorf("%s has no buffer: %w", name, cuda.ErrInvalidValue)
	}
	if v.N < 0 || v.Step < 0 || v.N > math.MaxInt32 {
		return fmt.Errorf("%s has %d elements with step %d: %w", name, v.N, v.Step, cuda.ErrInvalidValue)
	}
	if v.N > 0 {
		if n := need(1, 0, v.N, v.step(), 1); n < 0 || n > v.Data.Len() {
			return fmt.Errorf("%s: %d elements with step %d have %d elements, the buffer has %d: %w", name, v.N, v.step(), n, v.Data.Len(), cuda.ErrLength)
		}
	}
	return library.On(l, name, v.Data)
}

func (t Transpose) check(name string) error {
	if t < NoTrans || t > ConjTrans {
		return fmt.Errorf("%s is %v: want NoTrans, Trans or ConjTrans: %w", name, t, cuda.ErrInvalidValue)
	}
	return nil
}

// mismatch is the error of dimensions that should be equal.
func mismatch(aName string, a int, bName string, b int) error {
	if a == b {
		return nil
	}
	return fmt.Errorf("%s is %d, %s is %d: %w", aName, a, bName, b, cuda.ErrLength)
}

// first is the first error.
func first(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// conj is an argument: 1 for the conjugate.
func conj(t Transpose) int32 {
	if t == ConjTrans {
		return 1
	}
	return 0
}

// parts are the real and the imaginary part of a number as arguments.
func parts[T Number](x T) [2]any {
	switch v := any(x).(type) {
	case float32:
		return [2]any{v, float32(0)}
	case float64:
		return [2]any{v, float64(0)}
	case complex64:
		return [2]any{real(v), imag(v)}
	}
	v := any(x).(complex128)
	return [2]any{real(v), imag(v)}
}
