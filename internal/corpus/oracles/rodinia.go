package main

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/tandem-go/tandem/cuda"
)

func rodiniaFiles() []file {
	rd := func(path string, checks ...check) file {
		return file{collection: "Rodinia", path: path, checks: checks}
	}
	with := func(f file, instances ...string) file {
		f.instances = instances
		return f
	}
	return []file{
		rd("bfs/bfs.cu", check{"Kernel Kernel2", bfs}),
		rd("gaussian/gaussian.cu", check{"Fan1 Fan2", gaussian}),
		rd("nn/nn_cuda.cu", check{"euclid", nearest}),
		rd("lud/cuda/lud_kernel.cu", check{"lud_diagonal lud_perimeter lud_internal", lud}),
		rd("pathfinder/pathfinder.cu", check{"dynproc_kernel", pathfinder}),
		rd("hotspot/hotspot.cu", check{"calculate_temp", hotspot}),
		rd("hotspot3D/opt1.cu", check{"hotspotOpt1", hotspot3D}),
		rd("kmeans/kmeans_cuda_kernel.cu", check{"invert_mapping", kmeansInvert}),
		rd("nw/needle_kernel.cu", check{"needle_cuda_shared_1 needle_cuda_shared_2", needle}),
		rd("backprop/backprop_cuda_kernel.cu", check{"bpnn_layerforward_CUDA", layerForward}, check{"bpnn_adjust_weights_cuda", adjustWeights}),
		rd("srad/srad_v1/main.cu", check{"compress", sradCompress}, check{"extract", sradExtract}, check{"prepare", sradPrepare},
			check{"reduce", sradReduce}, check{"srad srad2", sradSteps}),
		rd("srad/srad_v2/srad_kernel.cu", check{"srad_cuda_1 srad_cuda_2", sradTiled}),
		rd("particlefilter/ex_particle_CUDA_naive_seq.cu", check{"kernel", findIndexNaive}),
		rd("particlefilter/ex_particle_CUDA_float_seq.cu", check{"find_index_kernel", findIndex}, check{"sum_kernel", particleSum},
			check{"normalize_weights_kernel", normalizeWeights}, check{"likelihood_kernel", likelihood}),
		rd("streamcluster/streamcluster_cuda.cu", check{"kernel_compute_cost", clusterCost}),
		rd("b+tree/kernel/kernel_gpu_cuda_wrapper.cu", check{"findK", treeFind}),
		rd("b+tree/kernel/kernel_gpu_cuda_wrapper_2.cu", check{"findRangeK", treeRange}),
		rd("lavaMD/kernel/kernel_gpu_cuda_wrapper.cu", check{"kernel_gpu_cuda", lavaMD}),
		rd("huffman/hist.cu", check{"histo_kernel", byteHistogram}),
		rd("huffman/vlc_kernel_sm64huff.cu", check{"vlc_encode_kernel_sm64huff", huffmanEncode}),
		rd("huffman/pack_kernels.cu", check{"pack2", huffmanPack}),
		with(rd("huffman/scanLargeArray_kernel.cu", check{"prescan", prescan}, check{"uniformAdd", uniformAdd}),
			"prescan<true,false>", "prescan<false,true>"),
		with(rd("dwt2d/components.cu", check{"c_CopySrcToComponents", splitColours}, check{"c_CopySrcToComponent", copyGrey}),
			"c_CopySrcToComponents<int>", "c_CopySrcToComponents<float>", "c_CopySrcToComponent<int>", "c_CopySrcToComponent<float>"),
		rd("cfd/euler3d.cu", cfdChecks[float32](192, false)...),
		rd("cfd/euler3d_double.cu", cfdChecks[float64](128, false)...),
		rd("cfd/pre_euler3d.cu", cfdChecks[float32](192, true)...),
		rd("cfd/pre_euler3d_double.cu", cfdChecks[float64](192, true)...),
	}
}

// bfs searches a random graph level by level, as the program does, until no node was reached.
func bfs(r *run) {
	const n, threads = 1500, 512
	nodes, edges := make([]int32, 0, 2*n), []int32(nil)
	for range n {
		degree := 1 + r.rng.IntN(3)
		nodes = append(nodes, int32(len(edges)), int32(degree))
		for range degree {
			edges = append(edges, int32(r.rng.IntN(n)))
		}
	}
	cost := slices.Repeat([]int32{-1}, n)
	cost[0] = 0
	for queue := []int32{0}; len(queue) > 0; queue = queue[1:] {
		u := queue[0]
		for _, v := range edges[nodes[2*u]:][:nodes[2*u+1]] {
			if cost[v] < 0 {
				cost[v] = cost[u] + 1
				queue = append(queue, v)
			}
		}
	}
	start := make([]uint8, n)
	start[0] = 1
	dn, de, dm := give(r, "nodes", nodes), give(r, "edges", edges), give(r, "mask", start)
	du, dv := give(r, "updating", make([]uint8, n)), give(r, "visited", start)
	dc := give(r, "cost", table(n, func(i int) int32 { return min(int32(i), 1) * -1 }))
	over := scratch[uint8](r, "over", 1)
	for level := 0; r.err == nil && level < n; level++ {
		r.fail(over.buf.CopyFrom(r.ctx, []uint8{0}))
		r.launch("Kernel", cuda.Blocks(n, threads), cuda.D1(threads), dn, de, dm, du, dv, dc, n)
		r.launch("Kernel2", cuda.Blocks(n, threads), cuda.D1(threads), dm, du, dv, over, n)
		if over.now(r)[0] == 0 {
			break
		}
	}
	dc.exact(r, cost)
	dm.exact(r, make([]uint8, n))
	dv.exact(r, table(n, func(i int) uint8 {
		if cost[i] >= 0 {
			return 1
		}
		return 0
	}))
}

func gaussian(r *run) {
	const n = 24
	a, b := between[float32](r, n*n, -1, 1), between[float32](r, n, -5, 5)
	for i := range n {
		a[i*n+i] += n // no pivoting
	}
	da, db, dm := give(r, "a", a), give(r, "b", b), give(r, "m", make([]float32, n*n))
	xa, xb, xm := lifts(a), lifts(b), make([]approx, n*n)
	for t := range n - 1 {
		r.launch("Fan1", cuda.D1(1), cuda.D1(512), dm, da, n, t)
		r.launch("Fan2", cuda.D2(n/4, n/4), cuda.D2(4, 4), dm, da, db, n, n-t, t)
		for i := t + 1; i < n; i++ {
			m := single.div(xa[i*n+t], xa[t*n+t])
			xm[i*n+t] = m
			for j := t; j < n; j++ {
				xa[i*n+j] = single.sub(xa[i*n+j], single.mul(m, xa[t*n+j]))
			}
			xb[i] = single.sub(xb[i], single.mul(m, xb[t]))
		}
	}
	within(r, dm, xm)
	within(r, da, xa)
	within(r, db, xb)
}

func nearest(r *run) {
	const n, threads = 1000, 256
	places := between[float32](r, 2*n, -90, 90)
	lat, lng := float32(30), float32(-60)
	dd := room(r, "distances", n, float32(-1))
	r.launch("euclid", cuda.D2(2, 2), cuda.D1(threads), give(r, "locations", places), dd, n, lat, lng)
	within(r, dd, table(n, func(i int) approx {
		x, y := single.sub(lift(lat), lift(places[2*i])), single.sub(lift(lng), lift(places[2*i+1]))
		return single.sqrt(single.add(single.mul(x, x), single.mul(y, y)))
	}))
}

// lud factors a matrix of three by three tiles. The oracle forms each element from its definition, so that the order of the
// sums is open.
func lud(r *run) {
	const tile, n = 16, 48
	a := between[float32](r, n*n, -1, 1)
	for i := range n {
		a[i*n+i] += n
	}
	dm := give(r, "m", a)
	for at := 0; at < n; at += tile {
		r.launch("lud_diagonal", cuda.D1(1), cuda.D1(tile), dm, n, at)
		if left := (n-at)/tile - 1; left > 0 {
			r.launch("lud_perimeter", cuda.D1(left), cuda.D1(2*tile), dm, n, at)
			r.launch("lud_internal", cuda.D2(left, left), cuda.D2(tile, tile), dm, n, at)
		}
	}
	lu := lifts(a)
	for i := range n {
		for j := range n {
			terms := []approx{lu[i*n+j]}
			for k := range min(i, j) {
				terms = append(terms, neg(single.mul(lu[i*n+k], lu[k*n+j])))
			}
			lu[i*n+j] = single.sum(terms)
			if i > j {
				lu[i*n+j] = single.div(lu[i*n+j], lu[j*n+j])
			}
		}
	}
	within(r, dm, lu)
}

// pathfinder goes down a wall: each step adds the cheapest of the three places above.
func pathfinder(r *run) {
	const columns, steps, block = 700, 8, 256
	wall, first := integers[int32](r, columns*steps, 10), integers[int32](r, columns, 10)
	best := slices.Clone(first)
	dw, src := give(r, "wall", wall), give(r, "source", first)
	for at := 0; at < steps; {
		n := min(5, steps-at)
		for s := range n {
			best = table(columns, func(x int) int32 {
				return min(best[max(x-1, 0)], best[x], best[min(x+1, columns-1)]) + wall[(at+s)*columns+x]
			})
		}
		dst := room(r, "result", columns, int32(-1))
		r.launch("dynproc_kernel", cuda.D1(cover(columns, block-2*n)), cuda.D1(block), n, dw, src, dst, columns, steps+1, at, n)
		dst.exact(r, best)
		src, at = dst, at+n
	}
}

// hotspot takes two explicit steps of heat flow with clamped borders.
func hotspot(r *run) {
	const columns, lines, steps, block = 50, 41, 2, 16
	power, temp := between[float32](r, columns*lines, 0, 2), between[float32](r, columns*lines, 320, 340)
	capacity, rx, ry, rz, step := float32(0.5), float32(7), float32(5), float32(3), float32(0.01)
	dt := room(r, "result", len(temp), float32(-1))
	grid := cuda.D2(cover(columns, block-2*steps), cover(lines, block-2*steps))
	r.launch("calculate_temp", grid, cuda.D2(block, block), steps, give(r, "power", power), give(r, "temp", temp), dt,
		columns, lines, steps, steps, capacity, rx, ry, rz, step, float32(0.001))
	f := single
	now, scale := lifts(temp), f.div(lift(step), lift(capacity))
	one := lift(1.0)
	gx, gy, gz := f.div(one, lift(rx)), f.div(one, lift(ry)), f.div(one, lift(rz))
	for range steps {
		was := now
		now = table(len(was), func(c int) approx {
			x, y := c%columns, c/columns
			n, s := was[max(y-1, 0)*columns+x], was[min(y+1, lines-1)*columns+x]
			w, e := was[y*columns+max(x-1, 0)], was[y*columns+min(x+1, columns-1)]
			t := was[c]
			flow := f.total(lift(power[c]),
				f.mul(f.total(s, n, neg(f.mul(lift(2.0), t))), gy),
				f.mul(f.total(e, w, neg(f.mul(lift(2.0), t))), gx),
				f.mul(f.sub(lift(80.0), t), gz))
			return f.add(t, f.mul(scale, flow))
		})
	}
	within(r, dt, now)
}

func hotspot3D(r *run) {
	const nx, ny, nz = 64, 8, 5
	const n = nx * ny * nz
	p, t := between[float32](r, n, 0, 1), between[float32](r, n, 300, 350)
	c := between[float32](r, 8, 0.05, 0.2) // step, east, west, north, south, top, bottom, centre
	out := room(r, "tOut", n, float32(-1))
	r.launch("hotspotOpt1", cuda.D2(nx/64, ny/4), cuda.D2(64, 4), give(r, "p", p), give(r, "tIn", t), out,
		c[0], nx, ny, nz, c[1], c[2], c[3], c[4], c[5], c[6], c[7])
	at := func(x, y, z int) approx {
		return lift(t[(min(max(z, 0), nz-1)*ny+min(max(y, 0), ny-1))*nx+min(max(x, 0), nx-1)])
	}
	within(r, out, table(n, func(i int) approx {
		x, y, z := i%nx, i/nx%ny, i/nx/ny
		f := single
		return f.dot(lifts([]float32{c[7], c[2], c[1], c[4], c[3], c[6], c[5], c[0], c[5]}), []approx{
			at(x, y, z), at(x-1, y, z), at(x+1, y, z), at(x, y+1, z), at(x, y-1, z), at(x, y, z-1), at(x, y, z+1), lift(p[i]), lift(80.0)})
	}))
}

func kmeansInvert(r *run) {
	const points, features = 700, 9
	in := between[float32](r, points*features, -1, 1)
	out := room(r, "output", len(in), float32(9))
	r.launch("invert_mapping", cuda.Blocks(points, 256), cuda.D1(256), give(r, "input", in), out, points, features)
	out.exact(r, table(len(in), func(i int) float32 { return in[i%points*features+i/points] }))
}

// needle aligns two sequences: tiles on the diagonals that grow, then on those that shrink.
func needle(r *run) {
	const tile, tiles, penalty = 16, 3, 10
	const columns = tile*tiles + 1
	score := table(columns*columns, func(int) int32 { return int32(r.rng.IntN(21) - 10) })
	best := make([]int32, columns*columns)
	for i := range columns {
		best[i], best[i*columns] = int32(-i*penalty), int32(-i*penalty)
	}
	dm := give(r, "matrix", best)
	ds := give(r, "reference", score)
	for i := 1; i <= tiles; i++ {
		r.launch("needle_cuda_shared_1", cuda.D1(i), cuda.D1(tile), ds, dm, columns, penalty, i, tiles)
	}
	for i := tiles - 1; i >= 1; i-- {
		r.launch("needle_cuda_shared_2", cuda.D1(i), cuda.D1(tile), ds, dm, columns, penalty, i, tiles)
	}
	for y := 1; y < columns; y++ {
		for x := 1; x < columns; x++ {
			best[y*columns+x] = max(best[(y-1)*columns+x-1]+score[y*columns+x], best[y*columns+x-1]-penalty, best[(y-1)*columns+x]-penalty)
		}
	}
	dm.exact(r, best)
}

// layerForward leaves in each row the sum of as many rows of products as the row's number has trailing zeros for.
func layerForward(r *run) {
	const side, blocks, hidden = 16, 3, 16
	in, w := smallInts[float32](r, side*blocks+1, 9), smallInts[float32](r, (hidden+1)*(side*blocks+1), 9)
	dw, dp := give(r, "weights", w), room(r, "partial", blocks*hidden, float32(0.5))
	r.launch("bpnn_layerforward_CUDA", cuda.D2(1, blocks), cuda.D2(side, side), give(r, "input", in),
		room(r, "hidden", hidden+1, float32(1)), dw, dp, side*blocks, hidden)
	want, partial := slices.Clone(w), make([]float32, blocks*hidden)
	at := func(b, y, x int) int { return (hidden+1)*(side*b+y+1) + x + 1 }
	for b := range blocks {
		for x := range side {
			for y := range side {
				span := side
				if y > 0 {
					span = y & -y
				}
				sum := float32(0)
				for k := y; k < y+span; k++ {
					sum += w[at(b, k, x)] * in[side*b+k+1]
				}
				want[at(b, y, x)] = sum
				if y == 0 {
					partial[b*hidden+x] = sum
				}
			}
		}
	}
	dw.exact(r, want)
	dp.exact(r, partial)
}

func adjustWeights(r *run) {
	const side, blocks, hidden = 16, 3, 16
	delta, layer := between[float32](r, hidden+1, -1, 1), between[float32](r, side*blocks+1, -1, 1)
	w, old := between[float32](r, (hidden+1)*(side*blocks+1), 3, 4), between[float32](r, (hidden+1)*(side*blocks+1), 5, 6)
	dw, do := give(r, "w", w), give(r, "oldw", old)
	r.launch("bpnn_adjust_weights_cuda", cuda.D2(1, blocks), cuda.D2(side, side), give(r, "delta", delta), hidden,
		give(r, "ly", layer), side*blocks, dw, do)
	rate := approx{0.3, 0}
	xw, xo := lifts(w), lifts(old)
	for y := range side*blocks + 1 {
		for x := 1; x <= hidden; x++ {
			c := y*(hidden+1) + x
			step := single.mul(rate, lift(delta[x]))
			if y > 0 { // row 0 is the threshold, whose input is one
				step = single.mul(step, lift(layer[y]))
			}
			change := single.add(step, single.mul(rate, xo[c]))
			xw[c], xo[c] = single.add(xw[c], change), single.rounded(change.v, change.e, 1)
		}
	}
	within(r, dw, xw)
	within(r, do, xo)
}

// structs are the bytes of C structures, written field by field.
type structs struct{ b []byte }

func (s *structs) int(v ...int) {
	for _, x := range v {
		s.b = binary.LittleEndian.AppendUint32(s.b, uint32(int32(x)))
	}
}
func (s *structs) long(v int)      { s.b = binary.LittleEndian.AppendUint64(s.b, uint64(v)) }
func (s *structs) float(v float32) { s.b = binary.LittleEndian.AppendUint32(s.b, math.Float32bits(v)) }

// align pads to a multiple of n.
func (s *structs) align(n int) {
	for len(s.b)%n != 0 {
		s.b = append(s.b, 0)
	}
}
