package main

import (
	"math"
	"slices"
	"sort"

	"github.com/tandem-go/tandem/cuda"
)

// cumulated is a distribution function with n steps of random height.
func cumulated(r *run, n int) []float64 {
	out := make([]float64, n)
	sum := 0.0
	for i := range out {
		sum += r.rng.Float64()
		out[i] = sum
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func findIndexNaive(r *run) { resample(r, "kernel") }
func findIndex(r *run)      { resample(r, "find_index_kernel", room(r, "weights", 900, 0.5)) }

// resample takes for each value the first place whose cumulated weight reaches it.
func resample(r *run, kernel string, more ...any) {
	const n, threads = 900, 512
	x, y, cdf, u := between[float64](r, n, 0, 9), between[float64](r, n, 0, 9), cumulated(r, n), between[float64](r, n, 0, 1)
	u[7] = 1.5 // beyond the last: the last place
	dx, dy := room(r, "xj", n, -1.0), room(r, "yj", n, -1.0)
	args := append([]any{give(r, "arrayX", x), give(r, "arrayY", y), give(r, "CDF", cdf), give(r, "u", u), dx, dy}, more...)
	r.launch(kernel, cuda.Blocks(n, threads), cuda.D1(threads), append(args, n)...)
	place := func(i int) int { return min(sort.SearchFloat64s(cdf, u[i]), n-1) }
	dx.exact(r, table(n, func(i int) float64 { return x[place(i)] }))
	dy.exact(r, table(n, func(i int) float64 { return y[place(i)] }))
}

func particleSum(r *run) {
	const particles = 512*5 - 3
	parts := smallInts[float64](r, 8, 1e6)
	d := give(r, "partial_sums", parts)
	r.launch("sum_kernel", cuda.D1(1), cuda.D1(512), d, particles)
	want := slices.Clone(parts)
	want[0] = parts[0] + parts[1] + parts[2] + parts[3] + parts[4]
	d.exact(r, want)
}

// draw is the generator of the particle filter: a linear congruence on wrapping 32-bit integers.
func draw(seed *int32) float64 {
	*seed = int32(1103515245*uint32(*seed)+12345) % math.MaxInt32
	return math.Abs(float64(*seed) / math.MaxInt32)
}

func normalizeWeights(r *run) {
	const n = 400
	w := between[float64](r, n, 0, 1)
	total, seed := 210.0, int32(1234567)
	dw, ds := give(r, "weights", w), give(r, "partial_sums", []float64{total, 7})
	dc, du, dseed := room(r, "CDF", n, -1.0), room(r, "u", n, -1.0), give(r, "seed", []int32{seed, 5})
	r.launch("normalize_weights_kernel", cuda.D1(1), cuda.D1(512), dw, n, ds, dc, du, dseed)
	want, cdf := make([]float64, n), make([]float64, n)
	sum := 0.0
	for i := range want {
		want[i] = w[i] / total
		sum += want[i]
		cdf[i] = sum
	}
	u := 1 / float64(n) * draw(&seed)
	dw.exact(r, want)
	dc.exact(r, cdf)
	du.exact(r, table(n, func(i int) float64 { return u + float64(i)/n }))
	dseed.exact(r, []int32{seed, 5})
}

// likelihood moves particles at random and weighs each by the picture around it.
func likelihood(r *run) {
	const n, threads, ones, side, frames, frame = 300, 512, 13, 32, 3, 1
	const size = side * side * frames
	x, y := between[float64](r, n, 14, 18), between[float64](r, n, 14, 18)
	picture := table(size, func(int) uint8 { return uint8(120 + r.rng.IntN(70)) })
	offsets := table(2*ones, func(int) int32 { return int32(r.rng.IntN(7) - 3) })
	seeds := integers[int32](r, n, math.MaxInt32)
	dx, dy := room(r, "arrayX", n, -1.0), room(r, "arrayY", n, -1.0)
	dind, dlike, dw := room(r, "ind", n*ones, int32(-1)), room(r, "likelihood", n, -1e9), room(r, "weights", n, -1.0)
	dseed, dsum := give(r, "seed", seeds), room(r, "partial_sums", 1, -1.0)
	r.launch("likelihood_kernel", cuda.D1(1), cuda.D1(threads), dx, dy, give(r, "xj", x), give(r, "yj", y),
		room(r, "CDF", n, 0.5), dind, give(r, "objxy", offsets), dlike, give(r, "I", picture), room(r, "u", n, 0.5), dw,
		n, ones, size, frame, side, frames, dseed, dsum)
	f := double
	gauss := func(seed *int32) approx {
		u, v := draw(seed), draw(seed)
		c := f.apply(math.Cos, f.mul(approx{2 * math.Pi, 2e-15}, lift(v)), 4)
		return f.mul(f.sqrt(f.mul(lift(-2.0), f.apply(math.Log, lift(u), 4))), c)
	}
	wx, wy, wl, ww := make([]approx, n), make([]approx, n), make([]approx, n), make([]approx, n)
	ind := make([]int32, n*ones)
	for i := range n {
		wx[i] = f.total(lift(x[i]), lift(1.0), f.mul(lift(5.0), gauss(&seeds[i])))
		wy[i] = f.total(lift(y[i]), lift(-2.0), f.mul(lift(2.0), gauss(&seeds[i])))
		var terms []approx
		for k := range ones {
			column, row := int32(wx[i].v)+offsets[2*k+1], int32(wy[i].v)+offsets[2*k] // truncated
			at := column*side*frames + row*frames + frame
			if at < 0 {
				at = -at
			}
			if at >= size {
				at = 0
			}
			ind[i*ones+k] = at
			p := float64(picture[at])
			terms = append(terms, f.div(lift((p-100)*(p-100)-(p-228)*(p-228)), lift(50.0)))
		}
		wl[i] = f.div(f.sum(terms), lift(float64(ones)))
		ww[i] = f.mul(f.div(lift(1.0), lift(float64(n))), f.apply(math.Exp, wl[i], 4))
	}
	within(r, dx, wx)
	within(r, dy, wy)
	dind.exact(r, ind)
	within(r, dlike, wl)
	within(r, dw, ww)
	dseed.exact(r, seeds)
	within(r, dsum, []approx{f.sum(ww)})
}

// clusterCost: what each point would save if point x became a centre.
func clusterCost(r *run) {
	const n, dim, centres, stride, x = 600, 6, 3, 4, 17
	coord := smallInts[float32](r, n*dim, 9)
	weight, cost := integers[int32](r, n, 4), integers[int32](r, n, 2000)
	assign, slot := integers[int32](r, n, n), integers[int32](r, n, centres)
	var points structs
	for i := range n {
		points.float(float32(weight[i] + 1))
		points.align(8)
		points.long(0) // the pointer to coordinates is not used
		points.long(int(assign[i]))
		points.float(float32(cost[i]))
		points.align(8)
	}
	work := smallInts[float32](r, n*stride, 99)
	dw, dm := give(r, "work_mem", work), give(r, "switch_membership", make([]uint8, n))
	r.launch("kernel_compute_cost", cuda.Blocks(n, 512), cuda.D1(512), n, dim, x, give(r, "p", points.b), centres, stride,
		give(r, "coord", coord), dw, give(r, "center_table", slot), dm)
	want, moved := slices.Clone(work), make([]uint8, n)
	for i := range n {
		d := float32(0)
		for k := range dim {
			t := coord[k*n+i] - coord[k*n+x]
			d += t * t
		}
		d *= float32(weight[i] + 1)
		if c := float32(cost[i]); d < c {
			moved[i] = 1
			want[i*stride+centres] += d - c
		} else {
			want[i*stride+int(slot[assign[i]])] += c - d
		}
	}
	dw.exact(r, want)
	dm.exact(r, moved)
}

// searchTree is a B+ tree of two levels with 256 keys in a node.
type searchTree struct {
	keys  []int
	nodes structs
}

const treeOrder, treeLeaves, treeLeafKeys = 256, 20, 100

func newSearchTree(r *run) (t searchTree) {
	key := 0
	for range treeLeaves * treeLeafKeys {
		key += 1 + r.rng.IntN(5)
		t.keys = append(t.keys, key)
	}
	node := func(keys, indices []int) {
		t.nodes.int(0)
		fill := func(x []int, rest int) {
			for i := range treeOrder + 1 {
				if i < len(x) {
					t.nodes.int(x[i])
				} else {
					t.nodes.int(rest)
				}
			}
		}
		fill(indices, 0)
		fill(keys, math.MaxInt32)
		t.nodes.b = append(t.nodes.b, 0)
		t.nodes.align(4)
		t.nodes.int(len(keys))
	}
	first := table(treeLeaves, func(i int) int { return t.keys[i*treeLeafKeys] })
	node(first, table(treeLeaves, func(i int) int { return i + 1 }))
	for i := range treeLeaves {
		at := i * treeLeafKeys
		node(t.keys[at:at+treeLeafKeys], table(treeLeafKeys, func(k int) int { return at + k }))
	}
	return t
}

// leaf is the node in which a key lies.
func (t searchTree) leaf(key int32) int64 {
	return int64(sort.Search(treeLeaves, func(i int) bool { return t.keys[i*treeLeafKeys] > int(key) }))
}

func treeFind(r *run) {
	const queries = 40
	t := newSearchTree(r)
	records := integers[int32](r, len(t.keys), 1e9)
	place := integers[int32](r, queries, int64(len(t.keys)))
	wanted := table(queries, func(i int) int32 { return int32(t.keys[place[i]]) })
	current, offset, answer := give(r, "currKnode", make([]int64, queries)), give(r, "offset", make([]int64, queries)), room(r, "ans", queries, int32(-1))
	r.launch("findK", cuda.D1(queries), cuda.D1(treeOrder), 1, give(r, "knodes", t.nodes.b), treeLeaves+1, give(r, "records", records),
		current, offset, give(r, "keys", wanted), answer)
	leaves := table(queries, func(i int) int64 { return t.leaf(wanted[i]) })
	answer.exact(r, table(queries, func(i int) int32 { return records[place[i]] }))
	current.exact(r, leaves)
	offset.exact(r, leaves)
}

func treeRange(r *run) {
	const queries = 40
	t := newSearchTree(r)
	from := integers[int32](r, queries, int64(len(t.keys)-500))
	count := table(queries, func(int) int32 { return int32(1 + r.rng.IntN(499)) })
	start := table(queries, func(i int) int32 { return int32(t.keys[from[i]]) })
	end := table(queries, func(i int) int32 { return int32(t.keys[from[i]+count[i]-1]) })
	zeros := make([]int64, queries)
	current, offset, last, offset2 := give(r, "currKnode", zeros), give(r, "offset", zeros), give(r, "lastKnode", zeros), give(r, "offset_2", zeros)
	first, length := room(r, "Recstart", queries, int32(-1)), room(r, "Reclen", queries, int32(-1))
	r.launch("findRangeK", cuda.D1(queries), cuda.D1(treeOrder), 1, give(r, "knodes", t.nodes.b), treeLeaves+1,
		current, offset, last, offset2, give(r, "start", start), give(r, "end", end), first, length)
	first.exact(r, from)
	length.exact(r, count)
	for _, a := range []*array[int64]{current, offset} {
		a.exact(r, table(queries, func(i int) int64 { return t.leaf(start[i]) }))
	}
	for _, a := range []*array[int64]{last, offset2} {
		a.exact(r, table(queries, func(i int) int64 { return t.leaf(end[i]) }))
	}
}

// lavaMD sums a pair potential over a row of boxes and their neighbours.
func lavaMD(r *run) {
	const boxes, perBox = 3, 100
	const n = boxes * perBox
	const alpha = 0.5
	pos, charge := between[float64](r, 4*n, 0.1, 1), between[float64](r, n, 0.1, 1) // v, x, y, z
	neighbours := [boxes][]int{{1}, {0, 2}, {1}}
	var s structs
	for b, near := range neighbours {
		s.int(b, 0, 0, b)
		s.long(b * perBox)
		s.int(len(near), 0)
		for k := range 26 {
			other := 0
			if k < len(near) {
				other = near[k]
			}
			s.int(other, 0, 0, other)
			s.long(other * perBox)
		}
	}
	type parameters struct{ Alpha float64 }
	type dimensions struct {
		Current, Arch, Cores, Boxes1D            int32
		Boxes, BoxMem, SpaceElem, SpaceMem, Mem2 int64
	}
	force := give(r, "fv", make([]float64, 4*n))
	r.launch("kernel_gpu_cuda", cuda.D1(boxes), cuda.D1(128), parameters{alpha}, dimensions{Boxes1D: boxes, Boxes: boxes},
		give(r, "box", s.b), give(r, "rv", pos), give(r, "qv", charge), force)
	f := double
	want := make([]approx, 4*n)
	at := func(i, k int) approx { return lift(pos[4*i+k]) }
	for i := range n {
		var terms [4][]approx
		for _, b := range append([]int{i / perBox}, neighbours[i/perBox]...) {
			for j := b * perBox; j < (b+1)*perBox; j++ {
				dot := f.dot([]approx{at(i, 1), at(i, 2), at(i, 3)}, []approx{at(j, 1), at(j, 2), at(j, 3)})
				r2 := f.total(at(i, 0), at(j, 0), neg(dot))
				v := f.apply(math.Exp, neg(f.mul(lift(2*alpha*alpha), r2)), 4)
				terms[0] = append(terms[0], f.mul(lift(charge[j]), v))
				for k := 1; k <= 3; k++ {
					terms[k] = append(terms[k], f.product(lift(2.0), v, f.sub(at(i, k), at(j, k)), lift(charge[j])))
				}
			}
		}
		for k := range terms {
			want[4*i+k] = f.sum(terms[k])
		}
	}
	within(r, force, want)
}
