package sort

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

// Side says where a value is to stand among equal elements.
type Side int

// The sides.
const (
	Left  Side = iota // before them
	Right             // behind them
)

const blockThreads = 256

// Search queues dst[i] = the number of elements of sorted that stand before values[i]: those that are less (Left), or not
// greater (Right). sorted is in ascending order, else the numbers have no meaning. O(log n) for each value. The numbers are
// NumPy's searchsorted.
func Search[K Key, I Index](ctx context.Context, l *Library, side Side, dst *cuda.Buffer[I], sorted, values *cuda.Buffer[K], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "search", 1, Ascending, sorted, s)
	for _, check := range []func() error{
		func() error { return library.On(l.lib, "values", values) },
		func() error { return library.On(l.lib, "dst", dst) },
		func() error { return library.Length("dst", dst.Len(), "values", values.Len()) },
		func() error { return library.Apart(dst, "dst", sorted, "sorted") },
		func() error { return library.Apart(dst, "dst", values, "values") },
		func() error {
			if side == Left || side == Right {
				return nil
			}
			return fmt.Errorf("side %d: want Left or Right: %w", int(side), cuda.ErrInvalidValue)
		},
	} {
		if err == nil {
			err = check()
		}
	}
	if err != nil {
		return c.fail(err)
	}
	m := values.Len()
	kernel := "search4"
	if size[I]() == 8 {
		kernel = "search8"
	}
	blocks := (m + blockThreads - 1) / blockThreads
	return c.fail(c.launch(kernel, blocks, blockThreads, dst, sorted, uint64(sorted.Len()), values, uint64(m), int32(side)))
}

// Unique returns the distinct elements of src in ascending order, and how many times each is there, in buffers that belong
// to the caller. All NaNs are one element, and so are 0 and -0, for which the first of them stands. It waits for the number of distinct
// elements.
func Unique[K Key](ctx context.Context, l *Library, src *cuda.Buffer[K], s *cuda.Stream) (values *cuda.Buffer[K], counts *cuda.Buffer[int64], err error) {
	c, err := newCall(ctx, l, "unique", 1, Ascending, src, s)
	if err == nil {
		values, counts, err = unique(c, src)
	}
	return values, counts, c.fail(err)
}

func unique[K Key](c *call[K], src *cuda.Buffer[K]) (values *cuda.Buffer[K], counts *cuda.Buffer[int64], err error) {
	dev := c.l.lib.Device()
	if c.n == 0 {
		return allocBoth[K](dev, 0)
	}
	sorted, err := library.Temp[K](c.l.lib, c.n)
	if err != nil {
		return nil, nil, err
	}
	defer sorted.Close()
	view, err := sorted.Slice(0, c.n)
	if err != nil {
		return nil, nil, err
	}
	if err := sortLines[K, uint32](c, view, src, nil, nil, none); err != nil {
		return nil, nil, err
	}
	r := c.runs(c.n)
	table, err := library.Temp[uint32](c.l.lib, r.n+1)
	if err != nil {
		return nil, nil, err
	}
	defer table.Close()
	if err := table.Fill(0, c.s); err != nil {
		return nil, nil, err
	}
	blocks, threads := r.blocks(1)
	if err := c.launch("count_heads", blocks, threads, table, sorted, uint64(c.n), uint32(r.run), uint64(r.n)); err != nil {
		return nil, nil, err
	}
	total, err := c.sum(table, r.n)
	if err != nil {
		return nil, nil, err
	}
	starts, err := library.Temp[int64](c.l.lib, total)
	if err != nil {
		return nil, nil, err
	}
	defer starts.Close()
	if values, counts, err = allocBoth[K](dev, total); err != nil {
		return nil, nil, err
	}
	err = c.launch("write_heads", blocks, threads, values, starts, table, sorted, uint64(c.n), uint32(r.run), uint64(r.n))
	if err == nil {
		err = c.launch("differences", (total+blockThreads-1)/blockThreads, blockThreads, counts, starts, uint64(total), int64(c.n))
	}
	if err != nil {
		values.Close()
		counts.Close()
		return nil, nil, err
	}
	return values, counts, nil
}

// allocBoth makes both results of Unique.
func allocBoth[K Key](dev *cuda.Device, n int) (*cuda.Buffer[K], *cuda.Buffer[int64], error) {
	values, err := cuda.Alloc[K](dev, n)
	if err != nil {
		return nil, nil, err
	}
	counts, err := cuda.Alloc[int64](dev, n)
	if err != nil {
		values.Close()
		return nil, nil, err
	}
	return values, counts, nil
}

// TopK queues writing the first len(dst) elements of src in the order, sorted, to dst, and their numbers to index. Of equal
// elements those with the lowest numbers are taken, and stand in that order; Descending, the largest, begins with NaN. O(n).
// More elements than there are is an error that wraps cuda.ErrLength. Source: radix selection, Alabi and others, Fast k-selection
// Algorithms for Graphics Processing Units, 2012.
func TopK[K Key](ctx context.Context, l *Library, order Order, dst *cuda.Buffer[K], index *cuda.Buffer[int64], src *cuda.Buffer[K], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "top k", 1, order, src, s)
	for _, check := range []func() error{
		func() error { return library.On(l.lib, "dst", dst) },
		func() error { return library.On(l.lib, "index", index) },
		func() error { return library.Length("index", index.Len(), "dst", dst.Len()) },
		func() error { return library.Apart(dst, "dst", src, "src") },
		func() error { return library.Apart(index, "index", src, "src") },
		func() error { return library.Apart(index, "index", dst, "dst") },
		func() error {
			if dst.Len() <= c.n {
				return nil
			}
			return fmt.Errorf("%d of %d elements: %w", dst.Len(), c.n, cuda.ErrLength)
		},
	} {
		if err == nil {
			err = check()
		}
	}
	if err == nil && dst.Len() > 0 {
		err = topK(c, dst, index, src)
	}
	return c.fail(err)
}

// topK finds the k-th key digit by digit, takes what stands before it, and sorts that.
func topK[K Key](c *call[K], dst *cuda.Buffer[K], index *cuda.Buffer[int64], src *cuda.Buffer[K]) error {
	k := dst.Len()
	state, err := library.Temp[uint64](c.l.lib, 2)
	if err != nil {
		return err
	}
	defer state.Close()
	if err := c.findKth(state, src, k); err != nil {
		return err
	}
	r := c.runs(c.n)
	var tables [2]*cuda.Buffer[uint32]
	for i := range tables {
		if tables[i], err = library.Temp[uint32](c.l.lib, r.n); err != nil {
			return err
		}
		defer tables[i].Close()
	}
	blocks, threads := r.blocks(1)
	before, equal := tables[0], tables[1]
	n, run, warps := uint64(c.n), uint32(r.run), uint64(r.n)
	if err := c.launch("count_first", blocks, threads, before, equal, state, src, c.flip(), n, run, warps); err != nil {
		return err
	}
	for _, t := range tables {
		if err := c.exclusive(t, r.n); err != nil {
			return err
		}
	}
	if err := c.launch("write_first", blocks, threads, dst, index, before, equal, state, src, c.flip(), uint64(k), n, run, warps); err != nil {
		return err
	}
	first := *c
	first.n = k
	return sortWith[K, uint64](&first, dst, dst, index, index)
}

// findKth leaves the ordered bits of the k-th key in state[0], and in state[1] how many of the first k keys have them.
func (c *call[K]) findKth(state *cuda.Buffer[uint64], src *cuda.Buffer[K], k int) error {
	counts, err := library.Temp[uint32](c.l.lib, digits)
	if err != nil {
		return err
	}
	defer counts.Close()
	if err := counts.Fill(0, c.s); err != nil {
		return err
	}
	for i, v := range []uint64{0, uint64(k)} {
		word, err := state.Slice(i, i+1)
		if err != nil {
			return err
		}
		if err := word.Fill(v, c.s); err != nil {
			return err
		}
	}
	run, blocks := c.share(c.n)
	for shift := 8*size[K]() - 8; shift >= 0; shift -= 8 {
		if err := c.launch("count_prefix", blocks, blockThreads, counts, state, src, c.flip(), int32(shift), uint64(c.n), uint32(run)); err != nil {
			return err
		}
		if err := c.launch("pick", 1, 32, counts, state, int32(shift)); err != nil {
			return err
		}
	}
	return nil
}

// share divides n elements among blocks.
func (c *call[K]) share(n int) (run, blocks int) {
	run = min(max(n/64, 4096), 1<<17)
	if !c.host() {
		run = 8192
	}
	return run, (n + run - 1) / run
}

// Edges returns the edges of bins of the same width from lo to hi: lo + j·((hi-lo)/bins), the last is hi; NumPy's
// linspace.
func Edges(lo, hi float64, bins int) []float64 {
	edges := make([]float64, max(bins, 0)+1)
	step := (hi - lo) / float64(bins)
	for j := range edges {
		edges[j] = float64(float64(j)*step) + lo
	}
	edges[len(edges)-1] = hi
	return edges
}

// Histogram queues counting the elements of src in len(counts) bins of the same width from lo to hi, with the edges of
// Edges: counts[j] is the number of elements x with edges[j] <= x < edges[j+1], and in the last bin also x = hi. Elements are
// compared as float64; others, and NaN, are not counted. lo < hi and at least one bin, else the error wraps cuda.ErrInvalidValue. It
// waits for a copy of the edges.
func Histogram[K Key](ctx context.Context, l *Library, lo, hi float64, counts *cuda.Buffer[int64], src *cuda.Buffer[K], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "histogram", 1, Ascending, src, s)
	if err == nil && (counts.Len() < 1 || !(lo < hi) || math.IsInf(hi-lo, 0)) {
		err = fmt.Errorf("%d bins from %v to %v: want at least one, and finite limits in order: %w", counts.Len(), lo, hi, cuda.ErrInvalidValue)
	}
	if err == nil {
		err = histogram(c, Edges(lo, hi, counts.Len()), float64(counts.Len())/(hi-lo), counts, src)
	}
	return c.fail(err)
}

// HistogramEdges is Histogram with the caller's edges, one more than there are bins, in ascending order.
func HistogramEdges[K Key](ctx context.Context, l *Library, edges []float64, counts *cuda.Buffer[int64], src *cuda.Buffer[K], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "histogram", 1, Ascending, src, s)
	switch {
	case err != nil:
	case len(edges) != counts.Len()+1 || len(edges) < 2:
		err = fmt.Errorf("%d edges of %d bins: want one more, and at least one bin: %w", len(edges), counts.Len(), cuda.ErrLength)
	case !slices.IsSorted(edges) || slices.ContainsFunc(edges, math.IsNaN):
		err = fmt.Errorf("edges %v are not in ascending order: %w", edges, cuda.ErrInvalidValue)
	default:
		err = histogram(c, edges, 0, counts, src)
	}
	return c.fail(err)
}

// histogram counts; with scale, bins a unit, a guess takes the place of a search.
func histogram[K Key](c *call[K], edges []float64, scale float64, counts *cuda.Buffer[int64], src *cuda.Buffer[K]) error {
	if err := library.On(c.l.lib, "counts", counts); err != nil {
		return err
	}
	if err := library.Apart(counts, "counts", src, "src"); err != nil {
		return err
	}
	e, err := cuda.Upload(c.ctx, c.l.lib.Device(), edges)
	if err != nil {
		return err
	}
	defer e.Close()
	if err := counts.Fill(0, c.s); err != nil {
		return err
	}
	run, blocks := c.share(c.n)
	return c.launch("histogram", blocks, blockThreads, counts, src, e, uint32(counts.Len()), scale, uint64(c.n), uint32(run))
}

// exclusive replaces the first n numbers by the sums of those before.
func (c *call[K]) exclusive(table *cuda.Buffer[uint32], n int) error {
	t, err := table.Slice(0, n)
	if err != nil {
		return err
	}
	return exclusiveSum(c, t)
}
