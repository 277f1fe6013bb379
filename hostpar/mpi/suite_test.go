package mpi_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

// launched is the communicator of all ranks where the test binary was started by mpirun, else nil.
var launched *mpi.Comm

// deadline is how long anything here may take.
const deadline = time.Minute

// ranks runs fn on every rank: those of the launcher, or goroutines in several numbers.
func ranks(t *testing.T, fn func(ctx context.Context, c *mpi.Comm) error) {
	t.Helper()
	limited := func() (context.Context, context.CancelFunc) {
		return context.WithTimeoutCause(context.Background(), deadline, errors.New("test takes too long"))
	}
	if launched != nil {
		ctx, cancel := limited()
		defer cancel()
		c, err := mpi.Dup(ctx, launched) // so that a broken one stays here
		require.NoError(t, err)
		require.NoError(t, fn(ctx, c))
		require.NoError(t, mpi.Barrier(ctx, c))
		require.NoError(t, c.Close())
		return
	}
	for _, n := range []int{1, 2, 4, 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			ctx, cancel := limited()
			defer cancel()
			require.NoError(t, mpi.Local(ctx, n, fn))
		})
	}
}

// check returns an error unless the values are equal: require ends the goroutine of a rank, and the others would not know.
func check[T any](c *mpi.Comm, want, have T, what string) error {
	if fmt.Sprintf("%#v", want) != fmt.Sprintf("%#v", have) {
		return fmt.Errorf("rank %d of %d: %s: want %v, have %v", c.Rank(), c.Size(), what, want, have)
	}
	return nil
}

// meanwhile runs fn while a message is under way: libraries may wait for the receiver of a message to the sender itself.
func meanwhile[T mpi.Number](ctx context.Context, c *mpi.Comm, xs []T, dest, tag int, fn func() error) error {
	r, err := mpi.Isend(c, xs, dest, tag)
	if err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	_, err = r.Wait(ctx)
	return err
}

// all returns the first error of steps, run in order.
func all(steps ...func() error) error {
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

func fill(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = float64(r.IntN(1 << 20)) // sums of these are exact in any order
	}
	return xs
}

func TestRanksRing(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
		for _, n := range []int{0, 1, 7, 4096, 100_000} { // short messages are copied, long ones wait for the receiver
			out, in := fill(n, uint64(c.Rank())), make([]float64, n)
			s, err := mpi.Sendrecv(ctx, c, out, next, 3, in, before, 3)
			if err != nil {
				return err
			}
			if err := check(c, mpi.Status{Source: before, Tag: 3, Bytes: 8 * n}, s, "status"); err != nil {
				return err
			}
			if !slices.Equal(fill(n, uint64(before)), in) || !slices.Equal(fill(n, uint64(c.Rank())), out) {
				return fmt.Errorf("wrong elements, n = %d", n)
			}
		}
		return nil
	})
}

func TestRanksSendRecvTypes(t *testing.T) {
	type meters float32
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		return all(
			func() error { return roundTrip(ctx, c, []int{-1 << 40, 2}) },
			func() error { return roundTrip(ctx, c, []int8{-128, 2}) },
			func() error { return roundTrip(ctx, c, []int16{-3, 2}) },
			func() error { return roundTrip(ctx, c, []int32{-3, 2}) },
			func() error { return roundTrip(ctx, c, []uint8{255, 2, 3}) },
			func() error { return roundTrip(ctx, c, []uint16{1 << 15}) },
			func() error { return roundTrip(ctx, c, []uint32{1 << 31}) },
			func() error { return roundTrip(ctx, c, []uint64{1 << 63}) },
			func() error { return roundTrip(ctx, c, []meters{1.5, -2}) },
			func() error { return roundTrip(ctx, c, []complex64{1 + 2i}) },
			func() error { return roundTrip(ctx, c, []complex128{1 + 2i, -3i}) },
		)
	})
}

// roundTrip passes a buffer from rank to rank, and combines one of each rank.
func roundTrip[T mpi.Number](ctx context.Context, c *mpi.Comm, xs []T) error {
	in := make([]T, len(xs))
	next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
	r, err := mpi.Irecv(c, in, before, 0)
	if err != nil {
		return err
	}
	if err := mpi.Send(ctx, c, xs, next, 0); err != nil {
		return err
	}
	s, err := r.Wait(ctx)
	if err != nil {
		return err
	}
	n, whole := mpi.Count[T](s)
	var want T
	for range c.Size() {
		want += xs[0]
	}
	sum := make([]T, 1)
	return all(
		func() error { return check(c, len(xs), n, "count") },
		func() error { return check(c, true, whole, "whole") },
		func() error { return check(c, xs, in, "elements") },
		func() error { return mpi.Allreduce(ctx, c, xs[:1], sum, mpi.Sum) },
		func() error { return check(c, want, sum[0], "sum") },
	)
}

func TestRanksAnySourceAndProbe(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		if c.Rank() != 0 {
			return mpi.Send(ctx, c, make([]int32, c.Rank()), 0, 10+c.Rank())
		}
		seen := make([]bool, c.Size())
		for range c.Size() - 1 {
			found, err := mpi.Probe(ctx, c, mpi.AnySource, mpi.AnyTag)
			if err != nil {
				return err
			}
			n, _ := mpi.Count[int32](found)
			got, err := mpi.Recv(ctx, c, make([]int32, n), found.Source, found.Tag)
			if err != nil {
				return err
			}
			if got != found || found.Source != n || found.Tag != 10+n || seen[n] {
				return fmt.Errorf("found %+v, got %+v", found, got)
			}
			seen[n] = true
		}
		return nil
	})
}

// Messages from one rank with one tag come in the order they were sent in; a tag picks from among them.
func TestRanksOrder(t *testing.T) {
	const messages = 200
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		peer := c.Rank() ^ 1
		if peer >= c.Size() {
			peer = c.Rank()
		}
		var sends []*mpi.Request
		for i := range messages {
			r, err := mpi.Isend(c, []int{i}, peer, i%2)
			if err != nil {
				return err
			}
			sends = append(sends, r)
		}
		for tag := 1; tag >= 0; tag-- {
			for i := tag; i < messages; i += 2 {
				x := make([]int, 1)
				if _, err := mpi.Recv(ctx, c, x, peer, tag); err != nil {
					return err
				}
				if x[0] != i {
					return fmt.Errorf("tag %d: want message %d, have %d", tag, i, x[0])
				}
			}
		}
		return mpi.WaitAll(ctx, sends...)
	})
}

func TestRanksBcastScatterGather(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		for root := range c.Size() {
			const each = 3
			buf := make([]float64, 1000)
			if c.Rank() == root {
				buf = fill(1000, uint64(root))
			}
			var whole, back []float64
			if c.Rank() == root {
				whole, back = fill(each*c.Size(), 5), make([]float64, each*c.Size())
			}
			part, everyone := make([]float64, each), make([]float64, each*c.Size())
			err := all(
				func() error { return mpi.Bcast(ctx, c, buf, root) },
				func() error { return check(c, fill(1000, uint64(root)), buf, "bcast") },
				func() error { return mpi.Scatter(ctx, c, whole, part, root) },
				func() error {
					return check(c, fill(each*c.Size(), 5)[each*c.Rank():][:each], part, "scatter")
				},
				func() error { return mpi.Gather(ctx, c, part, back, root) },
				func() error { return check(c, whole, back, "gather") },
				func() error { return mpi.Allgather(ctx, c, part, everyone) },
				func() error { return check(c, fill(each*c.Size(), 5), everyone, "allgather") },
			)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Ten elements on any number of ranks: the example of the source text, squares gathered from uneven parts.
func TestRanksUnevenParts(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		const n = 10
		counts, displs := mpi.Counts(n, c.Size())
		var whole []float64
		root := c.Size() - 1
		if c.Rank() == root {
			for i := range n {
				whole = append(whole, float64(i))
			}
		}
		part := make([]float64, counts[c.Rank()])
		if err := mpi.Scatterv(ctx, c, whole, counts, nil, part, root); err != nil {
			return err
		}
		for i := range part {
			part[i] *= part[i]
		}
		back, gap := make([]float64, n), make([]float64, 2*n)
		apart := make([]int, c.Size())
		for i := range apart {
			apart[i] = displs[i] + i
		}
		want, wantGap := []float64{0, 1, 4, 9, 16, 25, 36, 49, 64, 81}, make([]float64, 2*n)
		for r := range counts {
			copy(wantGap[apart[r]:], want[displs[r]:][:counts[r]])
		}
		return all(
			func() error { return mpi.Gatherv(ctx, c, part, back, counts, displs, root) },
			func() error {
				if c.Rank() == root {
					return check(c, want, back, "gatherv")
				}
				return check(c, make([]float64, n), back, "gatherv elsewhere")
			},
			func() error { return mpi.Allgatherv(ctx, c, part, gap, counts, apart) },
			func() error { return check(c, wantGap, gap, "allgatherv") },
		)
	})
}

func TestRanksReductions(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		n := c.Size()
		mine := []int64{int64(c.Rank() + 1), 1 << (c.Rank() % 60), -int64(c.Rank())}
		fold := func(upTo int, fn func(a, b int64) int64) []int64 {
			acc := []int64{1, 1, 0}
			for r := 1; r < upTo; r++ {
				for i, x := range []int64{int64(r + 1), 1 << (r % 60), -int64(r)} {
					acc[i] = fn(acc[i], x)
				}
			}
			return acc
		}
		builtin := map[mpi.Builtin]func(a, b int64) int64{
			mpi.Sum: func(a, b int64) int64 { return a + b }, mpi.Product: func(a, b int64) int64 { return a * b },
			mpi.Min: func(a, b int64) int64 { return min(a, b) }, mpi.Max: func(a, b int64) int64 { return max(a, b) },
			mpi.BitAnd: func(a, b int64) int64 { return a & b }, mpi.BitOr: func(a, b int64) int64 { return a | b },
			mpi.BitXor: func(a, b int64) int64 { return a ^ b },
		}
		first := func(a, b int64) int64 { return a*31 + b } // not commutative; not associative either, so only up to two
		for op := mpi.Sum; op <= mpi.BitXor; op++ {
			fn := builtin[op]
			for _, o := range []mpi.Operator{op, mpi.NewOperator(fn)} {
				recv, root := make([]int64, 3), n/2
				inPlace := slices.Clone(mine)
				scan, atRoot := make([]int64, 3), make([]int64, 3)
				err := all(
					func() error { return mpi.Allreduce(ctx, c, mine, recv, o) },
					func() error { return check(c, fold(n, fn), recv, "allreduce "+op.String()) },
					func() error { return mpi.Allreduce(ctx, c, inPlace, inPlace, o) },
					func() error { return check(c, fold(n, fn), inPlace, "allreduce in place") },
					func() error { return mpi.Scan(ctx, c, mine, scan, o) },
					func() error { return check(c, fold(c.Rank()+1, fn), scan, "scan") },
					func() error { return mpi.Reduce(ctx, c, mine, atRoot, o, root) },
					func() error {
						if c.Rank() != root {
							return check(c, make([]int64, 3), atRoot, "reduce elsewhere")
						}
						return check(c, fold(n, fn), atRoot, "reduce")
					},
				)
				if err != nil {
					return err
				}
			}
		}
		if n > 2 {
			return nil
		}
		recv := make([]int64, 3)
		if err := mpi.Allreduce(ctx, c, mine, recv, mpi.NewOperator(first)); err != nil {
			return err
		}
		return check(c, fold(n, first), recv, "order")
	})
}

// Strings joined in the order of ranks: an operator that does not commute, on 2x2 matrices as 4 integers would do too.
func TestRanksOrderedReduction(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		// (a, b) stands for x -> a*x + b modulo a prime; composition is associative and does not commute.
		const p = 65537
		compose := func(f, g uint64) uint64 {
			a, b, u, v := f>>32, f&0xffffffff, g>>32, g&0xffffffff
			return a*u%p<<32 | (b*u+v)%p
		}
		of := func(r int) uint64 { return uint64(r+2)<<32 | uint64(3*r+1) }
		want := of(0)
		for r := 1; r < c.Size(); r++ {
			want = compose(want, of(r))
		}
		for root := range c.Size() {
			recv := make([]uint64, 1)
			if err := mpi.Reduce(ctx, c, []uint64{of(c.Rank())}, recv, mpi.NewOperator(compose), root); err != nil {
				return err
			}
			if c.Rank() == root && recv[0] != want {
				return fmt.Errorf("root %d: want %x, have %x", root, want, recv[0])
			}
		}
		text, err := mpi.AllreduceAny(ctx, c, fmt.Sprint(c.Rank()), func(a, b string) string { return a + b })
		if err != nil {
			return err
		}
		return check(c, "0123456"[:c.Size()], text, "joined")
	})
}

func TestRanksAlltoall(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		n := c.Size()
		send, recv, want := make([]int32, 2*n), make([]int32, 2*n), make([]int32, 2*n)
		for i := range send {
			send[i] = int32(100*c.Rank() + i)
			want[i] = int32(100*(i/2) + 2*c.Rank() + i%2)
		}
		// Rank r sends q+1 elements to rank q.
		var out, in []int
		var vsend, vwant []float32
		for q := range n {
			out, in = append(out, q+1), append(in, c.Rank()+1)
			for range q + 1 {
				vsend = append(vsend, float32(10*c.Rank()+q))
			}
			for range c.Rank() + 1 {
				vwant = append(vwant, float32(10*q+c.Rank()))
			}
		}
		vrecv := make([]float32, len(vwant))
		return all(
			func() error { return mpi.Alltoall(ctx, c, send, recv) },
			func() error { return check(c, want, recv, "alltoall") },
			func() error { return mpi.Alltoallv(ctx, c, vsend, out, nil, vrecv, in, nil) },
			func() error { return check(c, vwant, vrecv, "alltoallv") },
		)
	})
}

type particle struct {
	Name string
	At   [3]float64
	Tags map[string]int
	Next *particle
}

func someParticle(r int) particle {
	return particle{fmt.Sprint("p", r), [3]float64{float64(r), 1, 2}, map[string]int{"rank": r}, &particle{Name: "next"}}
}

func TestRanksObjects(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
		r, err := mpi.IrecvAny[particle](c, before, 4)
		if err != nil {
			return err
		}
		if err := mpi.SendAny(ctx, c, someParticle(c.Rank()), next, 4); err != nil {
			return err
		}
		p, s, err := r.Wait(ctx)
		if err != nil || s.Source != before || s.Tag != 4 {
			return fmt.Errorf("wait: %+v, %w", s, err)
		}
		big := make([]string, 100_000) // more than a megabyte
		for i := range big {
			big[i] = fmt.Sprint("string ", i)
		}
		large, err := mpi.IrecvAny[[]string](c, before, 6)
		if err != nil {
			return err
		}
		if err := mpi.SendAny(ctx, c, big, next, 6); err != nil { // all send, so each must receive meanwhile
			return err
		}
		if got, _, err := large.Wait(ctx); err != nil || !slices.Equal(big, got) {
			return fmt.Errorf("large object: %w", err)
		}
		sent, err := mpi.IsendAny(c, big, next, 5)
		if err != nil {
			return err
		}
		got, _, err := mpi.RecvAny[[]string](ctx, c, mpi.AnySource, 5)
		if err != nil {
			return err
		}
		if _, err := sent.Wait(ctx); err != nil {
			return err
		}
		if !slices.Equal(big, got) {
			return errors.New("big object differs")
		}
		return all(
			func() error { return checkParticle(someParticle(before), p) },
			func() error { return objectCollectives(ctx, c) },
		)
	})
}

func checkParticle(want, have particle) error {
	if want.Name != have.Name || want.At != have.At || want.Tags["rank"] != have.Tags["rank"] || have.Next == nil || have.Next.Name != "next" {
		return fmt.Errorf("want %+v, have %+v", want, have)
	}
	return nil
}

func objectCollectives(ctx context.Context, c *mpi.Comm) error {
	for root := range c.Size() {
		var v particle
		var whole []particle
		if c.Rank() == root {
			v = someParticle(root)
			for r := range c.Size() {
				whole = append(whole, someParticle(r))
			}
		}
		b, err := mpi.BcastAny(ctx, c, v, root)
		if err == nil {
			err = checkParticle(someParticle(root), b)
		}
		if err != nil {
			return err
		}
		mine, err := mpi.ScatterAny(ctx, c, whole, root)
		if err == nil {
			err = checkParticle(someParticle(c.Rank()), mine)
		}
		if err != nil {
			return err
		}
		ps, err := mpi.GatherAny(ctx, c, mine, root)
		if err != nil {
			return err
		}
		if len(ps) != len(whole) {
			return fmt.Errorf("gathered %d", len(ps))
		}
		for r, p := range ps {
			if err := checkParticle(someParticle(r), p); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestRanksSplit(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		color := c.Rank() % 2
		if c.Rank() == 3 {
			color = mpi.Undefined
		}
		half, err := mpi.Split(ctx, c, color, -c.Rank()) // in reverse
		if err != nil {
			return err
		}
		dup, err := mpi.Dup(ctx, c)
		if err != nil {
			return err
		}
		if err := check(c, [2]int{c.Rank(), c.Size()}, [2]int{dup.Rank(), dup.Size()}, "dup"); err != nil {
			return err
		}
		if color == mpi.Undefined {
			if half != nil {
				return errors.New("a communicator for Undefined")
			}
			return dup.Close()
		}
		var want []int
		for r := c.Size() - 1; r >= 0; r-- {
			if r%2 == color && r != 3 {
				want = append(want, r)
			}
		}
		have := make([]int, half.Size())
		return all(
			func() error { return check(c, len(want), half.Size(), "size") },
			func() error { return mpi.Allgather(ctx, half, []int{c.Rank()}, have) },
			func() error { return check(c, want, have, "members") },
			half.Close, half.Close, dup.Close,
			func() error {
				if err := mpi.Barrier(ctx, half); !errors.Is(err, mpi.ErrClosed) {
					return fmt.Errorf("closed: %w", err)
				}
				return nil
			},
		)
	})
}

// A message of one communicator is not received on another, even with the same ranks and tag.
func TestRanksCommunicatorsAreApart(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		d, err := mpi.Dup(ctx, c)
		if err != nil {
			return err
		}
		next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
		a, b := make([]int, 1), make([]int, 1)
		return all(
			func() error {
				return meanwhile(ctx, c, []int{1}, next, 0, func() error {
					return meanwhile(ctx, d, []int{2}, next, 0, func() error {
						if _, err := mpi.Recv(ctx, d, b, before, 0); err != nil {
							return err
						}
						_, err := mpi.Recv(ctx, c, a, before, 0)
						return err
					})
				})
			},
			func() error { return check(c, [2]int{1, 2}, [2]int{a[0], b[0]}, "messages") },
			d.Close,
		)
	})
}

func TestRanksGrid(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		dims := mpi.Dims(c.Size(), 2)
		g, err := mpi.NewGrid(ctx, c, dims, []bool{true, false})
		if err != nil {
			return err
		}
		at := g.Coords(g.Rank())
		up, down := g.Shift(0, 1)
		left, right := g.Shift(1, 1)
		wantLeft, wantRight := c.Rank()-1, c.Rank()+1
		if at[1] == 0 {
			wantLeft = mpi.NoRank
		}
		if at[1] == dims[1]-1 {
			wantRight = mpi.NoRank
		}
		edge := []float64{-1}
		row, err := g.Sub(ctx, []bool{false, true})
		if err != nil {
			return err
		}
		smaller, err := mpi.NewGrid(ctx, c, []int{1}, nil)
		if err != nil || (smaller == nil) != (c.Rank() > 0) {
			return fmt.Errorf("grid of one: %v, %w", smaller, err)
		}
		return all(
			func() error { return check(c, c.Rank(), g.At(at...), "rank at") },
			func() error {
				return check(c, [4]int{g.At(at[0]-1, at[1]), g.At(at[0]+1, at[1]), wantLeft, wantRight}, [4]int{up, down, left, right}, "shift")
			},
			func() error { _, err := mpi.Sendrecv(ctx, c, []float64{7}, right, 0, edge, left, 0); return err },
			func() error { return check(c, left != mpi.NoRank, edge[0] == 7, "halo") },
			func() error { return check(c, [2]int{at[1], dims[1]}, [2]int{row.Rank(), row.Size()}, "row") },
			row.Close, g.Close,
		)
	})
}

func TestRanksLayout(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		const rows, cols = 5, 4
		m := make([]float64, rows*cols)
		for i := range m {
			m[i] = float64(100*c.Rank() + i)
		}
		column := mpi.Layout{Count: rows, Block: 1, Stride: cols}
		peer := c.Rank() ^ 1
		if peer >= c.Size() {
			peer = c.Rank()
		}
		got := make(chan error, 1)
		to := slices.Clone(m)
		go func() { _, err := mpi.RecvLayout(ctx, c, to, column, peer, 0); got <- err }()
		if err := mpi.SendLayout(ctx, c, m[cols-1:], column, peer, 0); err != nil {
			return err
		}
		if err := <-got; err != nil {
			return err
		}
		want := make([]float64, rows*cols)
		for i := range want {
			want[i] = float64(100*c.Rank() + i)
			if i%cols == 0 {
				want[i] = float64(100*peer + i + cols - 1)
			}
		}
		return check(c, want, to, "matrix")
	})
}

// Many goroutines of each rank exchange messages at once, each with a tag of its own.
func TestRanksGoroutines(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		const goroutines, rounds = 8, 100
		next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
		failures := make([]error, goroutines)
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				in := make([]int, 2)
				for i := range rounds {
					if _, err := mpi.Sendrecv(ctx, c, []int{g, i + c.Rank()}, next, g, in, before, g); err != nil {
						failures[g] = err
						return
					}
					if in[0] != g || in[1] != i+before {
						failures[g] = fmt.Errorf("goroutine %d, round %d: %v", g, i, in)
						return
					}
				}
			})
		}
		wg.Wait()
		return errors.Join(failures...)
	})
}

// Goroutines make communicators and windows and run long reductions on communicators of their own, in an order that differs
// from rank to rank. Calls of a library that block must not wait for each other crosswise.
func TestRanksConcurrentCommunicators(t *testing.T) {
	const lanes, rounds, n = 4, 5, 20_000
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		var own [lanes]*mpi.Comm
		for i := range own {
			var err error
			if own[i], err = mpi.Dup(ctx, c); err != nil {
				return err
			}
		}
		failures := make(chan error, lanes)
		for i := range lanes {
			lane := (i + c.Rank()) % lanes // each rank begins with another one
			go func() {
				failures <- all(func() error { return blockingCalls(ctx, own[lane], rounds, n) }, own[lane].Close)
			}()
			if i%2 == c.Rank()%2 {
				runtime.Gosched()
			}
		}
		var first error
		for range lanes {
			if err := <-failures; err != nil && first == nil {
				first = err
			}
		}
		return first
	})
}

// blockingCalls makes calls that libraries have in a blocking form only, and those that are faster so.
func blockingCalls(ctx context.Context, c *mpi.Comm, rounds, n int) error {
	for round := range rounds {
		d, err := mpi.Split(ctx, c, c.Rank()%2, -c.Rank())
		if err != nil {
			return err
		}
		w, err := mpi.NewWindow[int64](ctx, c, 4) // Open MPI 4 fails where both parts of a split make one at once
		if err != nil {
			return err
		}
		x, sum := make([]float64, n), make([]float64, n)
		x[n-1] = float64(round)
		members := (c.Size() + 1 - c.Rank()%2) / 2
		err = all(
			func() error { return mpi.Allreduce(ctx, d, x, sum, mpi.Sum) },
			func() error { return check(c, float64(round*members), sum[n-1], "sum of half the ranks") },
			func() error { return mpi.Allreduce(ctx, c, x, sum, mpi.Sum) },
			func() error { return check(c, float64(round*c.Size()), sum[n-1], "sum of all") },
			w.Close,
			d.Close,
		)
		if err != nil {
			return err
		}
	}
	return nil
}
