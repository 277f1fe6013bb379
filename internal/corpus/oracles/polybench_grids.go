package main

import "github.com/tandem-go/tandem/cuda"

// convolution2D: nine coefficients with one decimal.
func convolution2D(r *run) {
	weights := [3][3]float32{{0.2, 0.5, -0.8}, {-0.3, 0.6, -0.9}, {0.4, 0.7, 0.1}}
	a := between[float32](r, pbI*pbJ, -4, 4)
	db := room(r, "B", pbI*pbJ, float32(1000))
	r.launch("convolution2D_kernel", cover2(pbJ, pbI, pbBlock), pbBlock, pbI, pbJ, give(r, "A", a), db)
	want := lifts(db.was)
	for i := 1; i < pbI-1; i++ {
		for j := 1; j < pbJ-1; j++ {
			var terms []approx
			for y := -1; y <= 1; y++ {
				for x := -1; x <= 1; x++ {
					terms = append(terms, single.mul(lift(weights[y+1][x+1]), lift(a[(i+y)*pbJ+j+x])))
				}
			}
			want[i*pbJ+j] = single.sum(terms)
		}
	}
	within(r, db, want)
}

// convolution3D: the stencil has eleven neighbours, some of which are named several times with different weights.
func convolution3D(r *run) {
	type tap struct {
		i, j, k int
		w       float64
	}
	taps := []tap{
		{-1, -1, -1, 2 + 5 - 8}, {1, -1, -1, 4 + 7 + 10}, {0, -1, 0, -3}, {0, 0, 0, 6}, {0, 1, 0, -9},
		{-1, -1, 1, 2}, {1, -1, 1, 4}, {-1, 0, 1, 5}, {1, 0, 1, 7}, {-1, 1, 1, -8}, {1, 1, 1, 10},
	}
	a := smallInts[float32](r, pbI*pbJ*pbK, 99)
	at := func(i, j, k int) int { return (i*pbJ+j)*pbK + k }
	db := room(r, "B", len(a), float32(0.5))
	da := give(r, "A", a)
	want := append([]float32(nil), db.was...)
	for _, i := range []int{0, 1, 17, pbI - 2, pbI - 1} {
		r.launch("convolution3D_kernel", cover2(pbK, pbJ, pbBlock), pbBlock, pbI, pbJ, pbK, da, db, i)
		if i == 0 || i == pbI-1 {
			continue // the border stays
		}
		for j := 1; j < pbJ-1; j++ {
			for k := 1; k < pbK-1; k++ {
				sum := 0.0
				for _, t := range taps {
					sum += t.w * float64(a[at(i+t.i, j+t.j, k+t.k)])
				}
				want[at(i, j, k)] = float32(sum)
			}
		}
	}
	db.exact(r, want)
}

func jacobi1D(r *run) {
	a := smallInts[float32](r, pbN, 1000)
	da, db := give(r, "A", a), room(r, "B", pbN, float32(0.5))
	r.launch("runJacobiCUDA_kernel1", line(pbN), flat, pbN, da, db)
	r.launch("runJacobiCUDA_kernel2", line(pbN), flat, pbN, da, db)
	wantB, wantA := append([]float32(nil), db.was...), append([]float32(nil), a...)
	for i := 1; i < pbN-1; i++ {
		wantB[i] = float32(0.33333 * float64(a[i-1]+a[i]+a[i+1])) // the weight is a double, and the product is rounded to float
		wantA[i] = wantB[i]
	}
	db.exact(r, wantB)
	da.exact(r, wantA)
}

// jacobi2D has its row length in the file.
func jacobi2D(r *run) {
	const stride, n = 1000, 50
	a := smallInts[float32](r, stride*n, 1000)
	da, db := give(r, "A", a), room(r, "B", stride*n, float32(0.5))
	r.launch("runJacobiCUDA_kernel1", cover2(n, n, pbBlock), pbBlock, n, da, db)
	r.launch("runJacobiCUDA_kernel2", cover2(n, n, pbBlock), pbBlock, n, da, db)
	wantB, wantA := append([]float32(nil), db.was...), append([]float32(nil), a...)
	for i := 1; i < n-1; i++ {
		for j := 1; j < n-1; j++ {
			c := i*stride + j
			wantB[c] = 0.2 * (a[c] + a[c-1] + a[c+1] + a[c-stride] + a[c+stride])
			wantA[c] = wantB[c]
		}
	}
	db.exact(r, wantB)
	da.exact(r, wantA)
}

func fdtdY(r *run) {
	fict, ey, hz := smallInts[float32](r, 4, 99), smallInts[float32](r, pbI*pbJ, 99), smallInts[float32](r, pbI*pbJ, 99)
	dy := give(r, "ey", ey)
	r.launch("fdtd_step1_kernel", cover2(pbJ, pbI, pbBlock), pbBlock, pbI, pbJ, give(r, "fict", fict),
		room(r, "ex", pbI*pbJ, float32(1)), dy, give(r, "hz", hz), 2)
	want := append([]float32(nil), ey...)
	for i := range pbI {
		for j := range pbJ {
			if i == 0 {
				want[j] = fict[2]
			} else {
				want[i*pbJ+j] -= (hz[i*pbJ+j] - hz[(i-1)*pbJ+j]) / 2
			}
		}
	}
	dy.exact(r, want)
}

func fdtdX(r *run) {
	ex, hz := smallInts[float32](r, pbI*pbJ, 99), smallInts[float32](r, pbI*pbJ, 99)
	dx := give(r, "ex", ex)
	r.launch("fdtd_step2_kernel", cover2(pbJ, pbI, pbBlock), pbBlock, pbI, pbJ, dx, room(r, "ey", pbI*pbJ, float32(1)), give(r, "hz", hz), 2)
	want := append([]float32(nil), ex...)
	for i := range pbI {
		for j := 1; j < pbJ; j++ {
			want[i*pbJ+j] -= (hz[i*pbJ+j] - hz[i*pbJ+j-1]) / 2
		}
	}
	dx.exact(r, want)
}

func fdtdZ(r *run) {
	ex, ey, hz := smallInts[float32](r, pbI*pbJ, 99), smallInts[float32](r, pbI*pbJ, 99), smallInts[float32](r, pbI*pbJ, 99)
	dz := give(r, "hz", hz)
	r.launch("fdtd_step3_kernel", cover2(pbJ, pbI, pbBlock), pbBlock, pbI, pbJ, give(r, "ex", ex), give(r, "ey", ey), dz, 2)
	want := lifts(hz)
	for i := range pbI - 1 {
		for j := range pbJ - 1 {
			c := i*pbJ + j
			curl := lift(ex[c+1] - ex[c] + ey[c+pbJ] - ey[c]) // whole numbers
			want[c] = single.sub(want[c], single.mul(lift(float32(0.7)), curl))
		}
	}
	within(r, dz, want)
}

// lu eliminates one column: the row of the pivot is divided by it, and the rest loses the outer product.
func lu(r *run) {
	const k = 3
	a := between[float32](r, pbN*pbN, 1, 2)
	da := give(r, "A", a)
	r.launch("lu_kernel1", line(pbN), flat, pbN, da, k)
	r.launch("lu_kernel2", cover2(pbN, pbN, pbBlock), pbBlock, pbN, da, k)
	want := lifts(a)
	for j := k + 1; j < pbN; j++ {
		want[k*pbN+j] = single.div(want[k*pbN+j], want[k*pbN+k])
	}
	for i := k + 1; i < pbN; i++ {
		for j := k + 1; j < pbN; j++ {
			want[i*pbN+j] = single.sub(want[i*pbN+j], single.mul(want[i*pbN+k], want[k*pbN+j]))
		}
	}
	within(r, da, want)
}

const gramColumn = 4

func gramNorm(r *run) {
	a := smallInts[float32](r, pbI*pbJ, 50)
	dr := room(r, "r", pbJ*pbJ, float32(-1))
	r.launch("gramschmidt_kernel1", cuda.D1(1), cuda.D1(256), pbI, pbJ, give(r, "a", a), dr, room(r, "q", pbI*pbJ, float32(1)), gramColumn)
	want := lifts(dr.was)
	sum := 0.0
	for i := range pbI {
		sum += float64(a[i*pbJ+gramColumn]) * float64(a[i*pbJ+gramColumn])
	}
	want[gramColumn*pbJ+gramColumn] = single.sqrt(lift(sum))
	within(r, dr, want)
}

func gramScale(r *run) {
	a, norms := between[float32](r, pbI*pbJ, -5, 5), between[float32](r, pbJ*pbJ, 1, 9)
	dq := room(r, "q", pbI*pbJ, float32(100))
	r.launch("gramschmidt_kernel2", line(pbI), flat, pbI, pbJ, give(r, "a", a), give(r, "r", norms), dq, gramColumn)
	want := append([]float32(nil), dq.was...)
	for i := range pbI {
		want[i*pbJ+gramColumn] = a[i*pbJ+gramColumn] / norms[gramColumn*pbJ+gramColumn] // one rounding, as in the kernel
	}
	dq.exact(r, want)
}

func gramProject(r *run) {
	a, q := smallInts[float32](r, pbI*pbJ, 9), smallInts[float32](r, pbI*pbJ, 9)
	da, dr := give(r, "a", a), room(r, "r", pbJ*pbJ, float32(0.5))
	r.launch("gramschmidt_kernel3", line(pbJ), flat, pbI, pbJ, da, dr, give(r, "q", q), gramColumn)
	wantA, wantR := append([]float32(nil), a...), append([]float32(nil), dr.was...)
	for j := gramColumn + 1; j < pbJ; j++ {
		dot := float32(0)
		for i := range pbI {
			dot += q[i*pbJ+gramColumn] * a[i*pbJ+j]
		}
		wantR[gramColumn*pbJ+j] = dot
		for i := range pbI {
			wantA[i*pbJ+j] -= q[i*pbJ+gramColumn] * dot
		}
	}
	dr.exact(r, wantR)
	da.exact(r, wantA)
}

// The statistics kernels divide by a constant of the files instead of by the number of rows.
const (
	corrRows, corrColumns = pbN, pbM
	corrCount             = 3214212.01
)

func corrMean(r *run) {
	d := smallInts[float32](r, corrRows*corrColumns, 9999)
	dm := room(r, "mean", corrColumns, float32(9))
	r.launch("mean_kernel", line(corrColumns), flat, corrColumns, corrRows, dm, give(r, "data", d))
	within(r, dm, table(corrColumns, func(j int) approx {
		sum := 0.0
		for i := range corrRows {
			sum += float64(d[i*corrColumns+j])
		}
		return single.div(lift(sum), lift(float32(corrCount)))
	}))
}

func corrDeviation(r *run) {
	d, mean := smallInts[float32](r, corrRows*corrColumns, 999), smallInts[float32](r, corrColumns, 999)
	ds := room(r, "std", corrColumns, float32(-9))
	r.launch("std_kernel", line(corrColumns), flat, corrColumns, corrRows, give(r, "mean", mean), ds, give(r, "data", d))
	within(r, ds, table(corrColumns, func(j int) approx {
		squares := table(corrRows, func(i int) approx {
			x := lift(d[i*corrColumns+j] - mean[j])
			return single.mul(x, x)
		})
		return single.sqrt(single.div(single.sum(squares), lift(float32(corrCount))))
	}))
}

func corrReduce(r *run) {
	d, mean := smallInts[float32](r, corrRows*corrColumns, 999), smallInts[float32](r, corrColumns, 99)
	std := between[float32](r, corrColumns, 1, 3)
	dd := give(r, "data", d)
	r.launch("reduce_kernel", cover2(corrColumns, corrRows, pbBlock), pbBlock, corrColumns, corrRows, give(r, "mean", mean), give(r, "std", std), dd)
	within(r, dd, table(len(d), func(c int) approx {
		j := c % corrColumns
		scale := single.mul(single.sqrt(lift(float32(corrCount))), lift(std[j]))
		return single.div(lift(d[c]-mean[j]), scale)
	}))
}

// symmetric is the product of the data with its transpose for columns first ≤ second, mirrored.
func symmetric(d []float32, want []float32, diagonal bool) {
	for a := range corrColumns {
		for b := a; b < corrColumns; b++ {
			if a == b && !diagonal {
				continue
			}
			sum := float32(0)
			for i := range corrRows {
				sum += d[i*corrColumns+a] * d[i*corrColumns+b]
			}
			want[a*corrColumns+b], want[b*corrColumns+a] = sum, sum
		}
	}
}

func corrProducts(r *run) {
	d := smallInts[float32](r, corrRows*corrColumns, 99)
	ds := room(r, "symmat", corrColumns*corrColumns, float32(0.5))
	r.launch("corr_kernel", line(corrColumns), flat, corrColumns, corrRows, ds, give(r, "data", d))
	want := append([]float32(nil), ds.was...)
	symmetric(d, want, false)
	for a := range corrColumns - 1 { // the last element of the diagonal is the caller's
		want[a*corrColumns+a] = 1
	}
	ds.exact(r, want)
}

func covarReduce(r *run) {
	d, mean := smallInts[float32](r, corrRows*corrColumns, 999), smallInts[float32](r, corrColumns, 99)
	dd := give(r, "data", d)
	r.launch("reduce_kernel", cover2(corrColumns, corrRows, pbBlock), pbBlock, corrColumns, corrRows, give(r, "mean", mean), dd)
	dd.exact(r, table(len(d), func(c int) float32 { return d[c] - mean[c%corrColumns] }))
}

func covarProducts(r *run) {
	d := smallInts[float32](r, corrRows*corrColumns, 99)
	ds := room(r, "symmat", corrColumns*corrColumns, float32(0.5))
	r.launch("covar_kernel", line(corrColumns), flat, corrColumns, corrRows, ds, give(r, "data", d))
	want := make([]float32, len(ds.was))
	symmetric(d, want, true)
	ds.exact(r, want)
}

// adi is the state of one sweep in running error arithmetic.
type adi struct {
	a    []float32
	b, x []approx
}

func newADI(r *run) (s adi, da, db, dx *array[float32]) {
	s.a = between[float32](r, pbN*pbN, 0.1, 0.5)
	b, x := between[float32](r, pbN*pbN, 2, 3), between[float32](r, pbN*pbN, 1, 2)
	s.b, s.x = lifts(b), lifts(x)
	return s, give(r, "A", s.a), give(r, "B", b), give(r, "X", x)
}

// forward eliminates element c by its predecessor p.
func (s adi) forward(c, p int) {
	a := lift(s.a[c])
	s.x[c] = single.sub(s.x[c], single.div(single.mul(s.x[p], a), s.b[p]))
	s.b[c] = single.sub(s.b[c], single.div(single.mul(a, a), s.b[p]))
}

func adiRows(r *run) {
	s, da, db, dx := newADI(r)
	r.launch("adi_kernel1", line(pbN), flat, pbN, da, db, dx)
	r.launch("adi_kernel2", line(pbN), flat, pbN, da, db, dx)
	r.launch("adi_kernel3", line(pbN), flat, pbN, da, db, dx)
	for i := range pbN {
		row := i * pbN
		for j := 1; j < pbN; j++ {
			s.forward(row+j, row+j-1)
		}
		last := row + pbN - 1
		s.x[last] = single.div(s.x[last], s.b[last])
		for j := pbN - 2; j > 0; j-- { // element 0 stays
			s.x[row+j] = single.div(single.sub(s.x[row+j], single.mul(s.x[row+j-1], lift(s.a[row+j-1]))), s.b[row+j-1])
		}
	}
	within(r, db, s.b)
	within(r, dx, s.x)
}

func adiColumns(r *run) {
	s, da, db, dx := newADI(r)
	for i := 1; i < pbN; i++ {
		r.launch("adi_kernel4", line(pbN), flat, pbN, da, db, dx, i)
	}
	r.launch("adi_kernel5", line(pbN), flat, pbN, da, db, dx)
	for i := range pbN - 2 {
		r.launch("adi_kernel6", line(pbN), flat, pbN, da, db, dx, i)
	}
	for j := range pbN {
		for i := 1; i < pbN; i++ {
			s.forward(i*pbN+j, (i-1)*pbN+j)
		}
		last := (pbN-1)*pbN + j
		s.x[last] = single.div(s.x[last], s.b[last])
		for i := pbN - 2; i > 0; i-- {
			c, p := i*pbN+j, (i-1)*pbN+j
			s.x[c] = single.div(single.sub(s.x[c], single.mul(s.x[p], lift(s.a[p]))), s.b[c])
		}
	}
	within(r, db, s.b)
	within(r, dx, s.x)
}
