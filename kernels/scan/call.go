package scan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

const (
	segment      = 2048 // elements of a warp; SEGMENT in scan.cu
	blockThreads = 128
	blockWarps   = blockThreads / 32
)

// call is one scan: rows lines of n/rows elements.
type call[T Number] struct {
	ctx     context.Context
	lib     *library.Library
	what    string // the operation in errors: "inclusive scan (add)"
	variant string
	neutral T // changes nothing, bit for bit
	rows, n int
	s       *cuda.Stream
}

// newCall checks the operands.
func newCall[T Number](ctx context.Context, l *Library, what string, op Op, rows int, dst, src *cuda.Buffer[T], s *cuda.Stream) (*call[T], error) {
	c := &call[T]{ctx: ctx, lib: l.lib, what: fmt.Sprintf("%s (%v)", what, op), rows: rows, n: src.Len(), s: s}
	if op < Add || op > Max {
		return nil, c.fail(fmt.Errorf("operation %d: want %d to %d: %w", int(op), int(Add), int(Max), cuda.ErrInvalidValue))
	}
	c.variant, c.neutral = op.String()+"_"+library.Suffix[T](), neutral[T](op)
	return c, c.check(dst, src)
}

// check returns an error if the operands do not fit each other.
func (c *call[T]) check(dst, src *cuda.Buffer[T]) error {
	if c.rows < 0 || c.rows == 0 && c.n > 0 || c.rows > 0 && c.n%c.rows != 0 {
		return c.fail(fmt.Errorf("%d elements are no %d rows of one length: %w", c.n, c.rows, cuda.ErrLength))
	}
	err := errors.Join(library.On(c.lib, "dst", dst), library.On(c.lib, "src", src))
	if err == nil {
		err = library.Length("dst", dst.Len(), "src", src.Len())
	}
	if err == nil {
		err = library.ApartOrSame(dst, "dst", src, "src")
	}
	return c.fail(err)
}

// newRuns is newCall with heads.
func newRuns[T Number](ctx context.Context, l *Library, what string, op Op, dst, src *cuda.Buffer[T], heads *cuda.Buffer[uint8], s *cuda.Stream) (*call[T], error) {
	c, err := newCall(ctx, l, what, op, 1, dst, src, s)
	if err != nil {
		return nil, err
	}
	if err = library.On(l.lib, "heads", heads); err == nil {
		err = library.Length("heads", heads.Len(), "src", src.Len())
	}
	if err == nil {
		err = library.Apart(dst, "dst", heads, "heads")
	}
	return c, c.fail(err)
}

// fail says which operation failed.
func (c *call[T]) fail(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", c.what, err)
}

// neutral is what changes nothing, bit for bit.
func neutral[T Number](op Op) T {
	var zero T
	v := reflect.ValueOf(&zero).Elem()
	least := op == Max
	switch {
	case op == Mul:
		return 1
	case op == Add && v.CanFloat():
		v.SetFloat(math.Copysign(0, -1))
	case op == Add:
	case v.CanFloat() && least:
		v.SetFloat(math.Inf(-1))
	case v.CanFloat():
		v.SetFloat(math.Inf(1))
	case v.CanInt() && least:
		v.SetInt(-1 << (v.Type().Bits() - 1))
	case v.CanInt():
		v.SetInt(1<<(v.Type().Bits()-1) - 1)
	case !least:
		v.SetUint(math.MaxUint64 >> (64 - v.Type().Bits()))
	}
	return zero
}

// grid is the segments of a line, the warps of all lines, and the blocks that hold them.
func (c *call[T]) grid(length int) (segments, warps, blocks int) {
	segments = (length + segment - 1) / segment
	warps = segments * c.rows
	return segments, warps, (warps + blockWarps - 1) / blockWarps
}

func (c *call[T]) launch(kernel string, blocks int, args ...any) error {
	return c.lib.Launch(c.ctx, c.variant, kernel, blocks, blockThreads, c.s, args...)
}

// scanRows scans each line: the totals of its segments, their scan, and then the segments.
func scanRows[T Number](c *call[T], kernel string, first T, dst, src *cuda.Buffer[T]) error {
	length := src.Len() / c.rows
	segments, warps, blocks := c.grid(length)
	if segments == 1 {
		return c.launch(kernel, blocks, dst, src, nil, first, uint64(length), uint32(segments), uint64(warps))
	}
	part, err := library.Temp[T](c.lib, warps)
	if err != nil {
		return err
	}
	defer part.Close()
	if err := c.launch("fold", blocks, part, src, uint64(length), uint32(segments), uint64(warps)); err != nil {
		return err
	}
	if err := scanRows(c, "inclusive", c.neutral, part, part); err != nil {
		return err
	}
	return c.launch(kernel, blocks, dst, src, part, first, uint64(length), uint32(segments), uint64(warps))
}

// scanRuns is scanRows within runs, of one line.
func scanRuns[T Number](c *call[T], shift int32, first T, dst, src *cuda.Buffer[T], heads *cuda.Buffer[uint8]) error {
	length := src.Len()
	segments, warps, blocks := c.grid(length)
	if segments == 1 {
		return c.launch("scan_runs", blocks, dst, src, heads, nil, first, shift, uint64(length), uint32(segments), uint64(warps))
	}
	part, err := library.Temp[T](c.lib, warps)
	if err != nil {
		return err
	}
	defer part.Close()
	found, err := library.Temp[uint8](c.lib, warps)
	if err != nil {
		return err
	}
	defer found.Close()
	if err := c.launch("fold_runs", blocks, part, found, src, heads, uint64(length), uint32(segments), uint64(warps)); err != nil {
		return err
	}
	if err := scanRuns(c, 0, c.neutral, part, part, found); err != nil {
		return err
	}
	return c.launch("scan_runs", blocks, dst, src, heads, part, first, shift, uint64(length), uint32(segments), uint64(warps))
}
