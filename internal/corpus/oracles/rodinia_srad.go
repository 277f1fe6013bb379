package main

import (
	"math"

	"github.com/tandem-go/tandem/cuda"
)

const sradThreads = 512

func sradCompress(r *run) {
	const n = 1300
	in := between[float32](r, n, 1.2, 3)
	d := give(r, "I", in)
	r.launch("compress", cuda.Blocks(n, sradThreads), cuda.D1(sradThreads), n, d)
	within(r, d, table(n, func(i int) approx {
		return single.mul(single.apply(math.Log, lift(in[i]), 2), lift(255.0)) // logf: at most one unit in the last place
	}))
}

func sradExtract(r *run) {
	const n = 1300
	in := between[float32](r, n, 0, 500)
	d := give(r, "I", in)
	r.launch("extract", cuda.Blocks(n, sradThreads), cuda.D1(sradThreads), n, d)
	within(r, d, table(n, func(i int) approx {
		return single.apply(math.Exp, single.div(lift(in[i]), lift(255.0)), 4) // expf: at most two units
	}))
}

func sradPrepare(r *run) {
	const n = 1300
	in := smallInts[float32](r, n, 1000)
	ds, dq := room(r, "sums", n, float32(0.5)), room(r, "sums2", n, float32(0.5))
	r.launch("prepare", cuda.Blocks(n, sradThreads), cuda.D1(sradThreads), n, give(r, "I", in), ds, dq)
	ds.exact(r, in)
	dq.exact(r, table(n, func(i int) float32 { return in[i] * in[i] }))
}

// sradReduce sums blocks of 512; the last block is not full and no power of two.
func sradReduce(r *run) {
	const n = 2*sradThreads + 179
	a, b := smallInts[float32](r, n, 999), smallInts[float32](r, n, 999)
	da, db := give(r, "sums", a), give(r, "sums2", b)
	r.launch("reduce", cuda.Blocks(n, sradThreads), cuda.D1(sradThreads), n, n, 1, da, db)
	sums := func(x []float32) []float32 {
		out := append([]float32(nil), x...)
		for at := 0; at < n; at += sradThreads {
			out[at] = 0
			for _, v := range x[at:min(at+sradThreads, n)] {
				out[at] += v
			}
		}
		return out
	}
	da.exact(r, sums(a))
	db.exact(r, sums(b))
}

// diffusion is the first half of a step of speckle reducing anisotropic diffusion (Yu and Acton, 2002): the differences to
// the four neighbours, clamped at the borders, and the diffusion coefficient.
type diffusion struct {
	width, height  int // x counts columns, y rows, whatever the order in memory
	at             func(x, y int) int
	image          []float32
	q0             approx
	n, s, w, e, c  []approx
	lambdaQuarters approx
}

func (d *diffusion) first() {
	f := single
	d.n, d.s, d.w, d.e, d.c = make([]approx, len(d.image)), make([]approx, len(d.image)), make([]approx, len(d.image)), make([]approx, len(d.image)), make([]approx, len(d.image))
	one := lift(1.0)
	for y := range d.height {
		for x := range d.width {
			i := d.at(x, y)
			j := lift(d.image[i])
			to := func(x, y int) approx {
				return f.sub(lift(d.image[d.at(min(max(x, 0), d.width-1), min(max(y, 0), d.height-1))]), j)
			}
			n, s, w, e := to(x, y-1), to(x, y+1), to(x-1, y), to(x+1, y)
			g := f.div(f.dot([]approx{n, s, w, e}, []approx{n, s, w, e}), f.mul(j, j))
			l := f.div(f.total(n, s, w, e), j)
			num := f.sub(f.mul(lift(0.5), g), f.mul(lift(1.0/16), f.mul(l, l)))
			den := f.add(one, f.mul(lift(0.25), l))
			q := f.div(num, f.mul(den, den))
			den = f.div(f.sub(q, d.q0), f.mul(d.q0, f.add(one, d.q0)))
			c := f.div(one, f.add(one, den))
			c.v = min(max(c.v, 0), 1)
			d.n[i], d.s[i], d.w[i], d.e[i], d.c[i] = n, s, w, e, c
		}
	}
}

// second adds the divergence: the coefficient of the cell itself counts in the north and the west.
func (d *diffusion) second(lambda float32) []approx {
	f := single
	out := make([]approx, len(d.image))
	for y := range d.height {
		for x := range d.width {
			i := d.at(x, y)
			sum := f.dot([]approx{d.c[i], d.c[d.at(x, min(y+1, d.height-1))], d.c[i], d.c[d.at(min(x+1, d.width-1), y)]},
				[]approx{d.n[i], d.s[i], d.w[i], d.e[i]})
			out[i] = f.add(lift(d.image[i]), f.product(lift(0.25), lift(lambda), sum))
		}
	}
	return out
}

func sradSteps(r *run) {
	const rows, columns = 37, 29
	const n = rows * columns
	lambda, q0 := float32(0.5), float32(0.0625)
	d := &diffusion{width: columns, height: rows, at: func(x, y int) int { return y + rows*x }, q0: lift(q0),
		image: between[float32](r, n, 1, 1.6)}
	neighbour := func(n, step int) []int32 {
		return table(n, func(i int) int32 { return int32(min(max(i+step, 0), n-1)) })
	}
	iN, iS := give(r, "iN", neighbour(rows, -1)), give(r, "iS", neighbour(rows, 1))
	jE, jW := give(r, "jE", neighbour(columns, 1)), give(r, "jW", neighbour(columns, -1))
	bad := float32(-9)
	dN, dS, dE, dW, dc := room(r, "dN", n, bad), room(r, "dS", n, bad), room(r, "dE", n, bad), room(r, "dW", n, bad), room(r, "c", n, bad)
	image := give(r, "I", d.image)
	grid, block := cuda.Blocks(n, sradThreads), cuda.D1(sradThreads)
	r.launch("srad", grid, block, lambda, rows, columns, n, iN, iS, jE, jW, dN, dS, dE, dW, q0, dc, image)
	d.first()
	expectExactly(r, dN, d.n)
	expectExactly(r, dS, d.s)
	expectExactly(r, dW, d.w)
	expectExactly(r, dE, d.e)
	within(r, dc, d.c)
	r.launch("srad2", grid, block, lambda, rows, columns, n, iN, iS, jE, jW, dN, dS, dE, dW, dc, image)
	within(r, image, d.second(lambda))
}

// expectExactly is for results of one rounded operation: the oracle's double is exact and is rounded once.
func expectExactly(r *run, a *array[float32], want []approx) {
	a.exact(r, table(len(want), func(i int) float32 { return float32(want[i].v) }))
}

// sradTiled is the version with tiles of 16 by 16. Its first kernel loads rows beyond the image and then does not use them.
func sradTiled(r *run) {
	const side, width, height = 16, 48, 32
	const n = width * height
	lambda, q0 := float32(0.5), float32(0.0625)
	d := &diffusion{width: width, height: height, at: func(x, y int) int { return y*width + x }, q0: lift(q0),
		image: between[float32](r, n, 1, 1.6)}
	bad := float32(-9)
	e, w, no, s := room(r, "E", n, bad), room(r, "W", n, bad), room(r, "N", n, bad), room(r, "S", n, bad)
	c := inside(r, "C", make([]float32, n), width, width+side)
	image := inside(r, "J", d.image, width+side, width+side)
	grid, block := cuda.D2(width/side, height/side), cuda.D2(side, side)
	r.launch("srad_cuda_1", grid, block, e, w, no, s, image, c, width, height, q0)
	d.first()
	expectExactly(r, no, d.n)
	expectExactly(r, s, d.s)
	expectExactly(r, w, d.w)
	expectExactly(r, e, d.e)
	within(r, c, d.c)
	r.launch("srad_cuda_2", grid, block, e, w, no, s, image, c, width, height, lambda, q0)
	within(r, image, d.second(lambda))
}
