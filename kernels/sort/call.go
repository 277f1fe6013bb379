package sort

import (
	"context"
	"fmt"
	"math"
	"reflect"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
	"github.com/tandem-go/tandem/kernels/scan"
)

const (
	digits   = 256
	short    = 2048 // keys of a line that fit in shared memory; LINE in sort.cu
	gpuWarps = 4    // warps of a block on a GPU; WARPS in sort.cu
)

// call is one operation on rows lines of n/rows keys.
type call[K Key] struct {
	ctx     context.Context
	l       *Library
	what    string
	variant string
	rows, n int
	order   Order
	s       *cuda.Stream
}

// size is the bytes of an element.
func size[T cuda.Element]() int { return int(reflect.TypeFor[T]().Size()) }

// newCall checks what every operation has. Positions are numbers of 32 bits.
func newCall[K Key](ctx context.Context, l *Library, what string, rows int, order Order, src *cuda.Buffer[K], s *cuda.Stream) (*call[K], error) {
	c := &call[K]{ctx, l, what, library.Suffix[K](), rows, src.Len(), order, s}
	switch {
	case order != Ascending && order != Descending:
		return c, fmt.Errorf("%v: want Ascending or Descending: %w", order, cuda.ErrInvalidValue)
	case rows < 0 || rows == 0 && c.n > 0 || rows > 0 && c.n%rows != 0:
		return c, fmt.Errorf("%d elements are no %d rows of one length: %w", c.n, rows, cuda.ErrLength)
	case uint64(c.n) > math.MaxInt32:
		return c, fmt.Errorf("%d elements: at most %d can be sorted at once: %w", c.n, math.MaxInt32, cuda.ErrLength)
	}
	return c, library.On(l.lib, "src", src)
}

// fail says which operation failed.
func (c *call[K]) fail(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", c.what, err)
}

func (c *call[K]) launch(kernel string, blocks, threads int, args ...any) error {
	return c.l.lib.Launch(c.ctx, c.variant, kernel, blocks, threads, c.s, args...)
}

// host tells that the kernels are those for the host device. Results do not depend on it.
func (c *call[K]) host() bool { return c.l.lib.Host() && !c.l.likeGPU }

// flip is what turns the order of keys round, as an argument: all ones for descending.
func (c *call[K]) flip() any {
	all := uint64(0)
	if c.order == Descending {
		all = math.MaxUint64
	}
	if size[K]() == 4 {
		return uint32(all)
	}
	return all
}

// runs divides lines of a length into runs, one for each warp. More runs keep more of a device busy and cost more counts.
func (c *call[K]) runs(length int) runs {
	most, parts := 32<<10, 64
	if !c.host() {
		most, parts = 4<<10, 4096
	}
	run := min(max(length/parts, 1024), most) &^ 127
	r := runs{run: run, n: (length + run - 1) / run, warps: 1}
	if !c.host() {
		r.warps = gpuWarps
	}
	return r
}

// runs is n runs of at most run elements, in blocks of warps.
type runs struct{ run, n, warps int }

// blocks is the shape of a launch over the runs of a number of lines.
func (r runs) blocks(lines int) (blocks, threads int) {
	return (r.n*lines + r.warps - 1) / r.warps, 32 * r.warps
}

// words is the keys as the unsigned numbers that kernels move.
func words[U, K cuda.Element](b *cuda.Buffer[K]) (*cuda.Buffer[U], error) {
	return cuda.Reinterpret[U](b)
}

// payload says what goes along with keys.
type payload int

const (
	none    payload = iota
	along           // values
	numbers         // the number of each key in its line
)

// sortWith sorts keys along with values of 4 or 8 bytes.
func sortWith[K Key, U uint32 | uint64, V Value](c *call[K], dst, src *cuda.Buffer[K], values, srcValues *cuda.Buffer[V]) error {
	to, err := words[U](values)
	if err != nil {
		return err
	}
	from, err := words[U](srcValues)
	if err != nil {
		return err
	}
	return sortLines(c, dst, src, to, from, along)
}

// argWith sorts numbers of 4 or 8 bytes.
func argWith[K Key, U uint32 | uint64, I Index](c *call[K], dst *cuda.Buffer[K], index *cuda.Buffer[I], src *cuda.Buffer[K]) error {
	to, err := words[U](index)
	if err != nil {
		return err
	}
	return sortLines(c, dst, src, to, nil, numbers)
}

// sortLines sorts each line. dst is nil if the keys are not wanted, values without a payload, srcValues without values.
func sortLines[K Key, U uint32 | uint64](c *call[K], dst, src *cuda.Buffer[K], values, srcValues *cuda.Buffer[U], p payload) error {
	length := c.n / c.rows
	if length > short {
		return radix(c, length, dst, src, values, srcValues, p)
	}
	if c.host() {
		if p == none {
			return c.launch("warp_line0", c.rows, 32, arg(dst), src, c.flip(), uint32(length))
		}
		return c.launch(c.kernel("warp_line", values), c.rows, 32, arg(dst), src, values, arg(srcValues), c.flip(), uint32(length))
	}
	return c.network(length, arg(dst), src, arg(values), arg(srcValues), p == none, c.kernel("sort_line", values))
}

// network sorts short lines as GPUs do it.
func (c *call[K]) network(length int, dst any, src *cuda.Buffer[K], values, srcValues any, alone bool, kernel string) error {
	size := 1
	for size < length {
		size *= 2
	}
	threads := min(max(size/2, 32), 256)
	if alone {
		return c.launch("sort_line0", c.rows, threads, dst, src, c.flip(), uint32(length), uint32(size))
	}
	return c.launch(kernel, c.rows, threads, dst, src, values, srcValues, c.flip(), uint32(length), uint32(size))
}

// kernel adds the size of values to a kernel's name.
func (c *call[K]) kernel(name string, values any) string {
	if _, wide := values.(*cuda.Buffer[uint64]); wide {
		return name + "8"
	}
	return name + "4"
}

// arg is a buffer as an argument; a null pointer for none.
func arg[T cuda.Element](b *cuda.Buffer[T]) any {
	if b == nil {
		return nil
	}
	return b
}

// radix sorts long lines, eight bits at a time. Passes alternate between temporary memory and dst, whose turn is last.
func radix[K Key, U uint32 | uint64](c *call[K], length int, dst, src *cuda.Buffer[K], values, srcValues *cuda.Buffer[U], p payload) error {
	r := c.runs(length)
	table, err := library.Temp[uint32](c.l.lib, c.rows*digits*r.n)
	if err != nil {
		return err
	}
	defer table.Close()
	keys, err := library.Temp[K](c.l.lib, c.n)
	if err != nil {
		return err
	}
	defer keys.Close()
	second := dst
	if dst == nil {
		if second, err = library.Temp[K](c.l.lib, c.n); err != nil {
			return err
		}
		defer second.Close()
	}
	pass := pass[K, U]{c, r, length, table, p}
	if p == none {
		return pass.all([2]*cuda.Buffer[K]{keys, second}, dst, src, [2]*cuda.Buffer[U]{}, nil)
	}
	other, err := library.Temp[U](c.l.lib, c.n)
	if err != nil {
		return err
	}
	defer other.Close()
	return pass.all([2]*cuda.Buffer[K]{keys, second}, dst, src, [2]*cuda.Buffer[U]{other, values}, srcValues)
}

// pass is what the passes of a radix sort share.
type pass[K Key, U uint32 | uint64] struct {
	c      *call[K]
	runs   runs
	length int
	table  *cuda.Buffer[uint32]
	p      payload
}

// all queues the passes, an even number of them.
func (p pass[K, U]) all(keys [2]*cuda.Buffer[K], dst, src *cuda.Buffer[K], values [2]*cuda.Buffer[U], srcValues *cuda.Buffer[U]) error {
	bits := 8 * size[K]()
	for shift := 0; shift < bits; shift += 8 {
		i := shift / 8 % 2
		out := keys[i]
		if shift+8 == bits {
			out = dst
		}
		if err := p.one(shift, out, src, values[i], srcValues); err != nil {
			return err
		}
		src, srcValues = keys[i], values[i]
	}
	return nil
}

// one queues one pass: the counts, their sums, the moves.
func (p pass[K, U]) one(shift int, dst, src *cuda.Buffer[K], values, srcValues *cuda.Buffer[U]) error {
	c := p.c
	blocks, threads := p.runs.blocks(c.rows)
	flip, length, n, run, warps := c.flip(), uint64(p.length), uint32(p.runs.n), uint32(p.runs.run), uint64(p.runs.n*c.rows)
	if err := c.launch("count", blocks, threads, p.table, src, flip, int32(shift), length, n, run, warps); err != nil {
		return err
	}
	if err := c.exclusive(p.table, c.rows*digits*p.runs.n); err != nil {
		return err
	}
	if p.p == none {
		return c.launch("scatter0", blocks, threads, arg(dst), src, p.table, flip, int32(shift), length, n, run, warps)
	}
	return c.launch(c.kernel("scatter", values), blocks, threads, arg(dst), src, values, arg(srcValues), p.table, flip, int32(shift), length, n, run, warps)
}

// exclusiveSum replaces counts by the sums of those before.
func exclusiveSum[K Key](c *call[K], table *cuda.Buffer[uint32]) error {
	return scan.Exclusive(c.ctx, c.l.scan, scan.Add, 0, table, table, c.s)
}

// sum replaces n counts by the sums of those before, and waits for the sum of all; the table has one more element.
func (c *call[K]) sum(table *cuda.Buffer[uint32], n int) (int, error) {
	if err := c.exclusive(table, n+1); err != nil {
		return 0, err
	}
	last, err := table.Slice(n, n+1)
	if err != nil {
		return 0, err
	}
	total, err := last.Download(c.ctx)
	if err != nil {
		return 0, err
	}
	return int(total[0]), nil
}
