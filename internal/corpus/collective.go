package corpus

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

func reductions(r *rand.Rand) []Case {
	const n, threads = 3000, 256
	x, xi := smallFloats(r, n), ints(r, n, 1<<20)
	sums := make([]float32, blocks(n, 2*threads))
	for i, v := range x {
		sums[i/(2*threads)] += v
	}
	isums := make([]int32, blocks(n, 128))
	for i, v := range xi {
		isums[i/128] += v
	}
	return []Case{{
		Name: "reduce_block", File: "07_reduce_block.cu",
		Buffers: []any{poison(len(sums), float32(-1)), x}, Want: []any{sums, nil},
		Launches: []Launch{{Kernel: "reduce_block", Grid: d1(uint32(len(sums))), Block: d1(threads), Args: []any{Buf(0), Buf(1), uint32(n)}}},
	}, {
		Name: "reduce_volatile", File: "09_reduce_volatile.cu",
		Buffers: []any{poison(len(isums), int32(-1)), xi}, Want: []any{isums, nil},
		Launches: []Launch{{Kernel: "reduce_volatile", Grid: d1(uint32(len(isums))), Block: d1(128), Args: []any{Buf(0), Buf(1), uint32(n)}}},
	}}
}

func shuffles(r *rand.Rand) []Case {
	const n, grid, threads = 10_007, 5, 160
	x := ints(r, n, 1<<20)
	sums := make([]int32, grid)
	for i, v := range x {
		sums[i/threads%grid] += v
	}
	seg := ints(r, 64, 1<<20)
	max8 := mapped(64, func(i int) int32 { return slices.Max(seg[i/8*8 : i/8*8+8]) })
	rotated := mapped(64, func(i int) int32 {
		up := seg[i]
		if i%32 >= 3 {
			up = seg[i-3]
		}
		return seg[i/16*16+(i+5)%16] + up
	})
	return []Case{{
		Name: "reduce_shuffle", File: "08_reduce_shuffle.cu",
		Buffers: []any{poison(grid, int32(-1)), x}, Want: []any{sums, nil},
		Launches: []Launch{{Kernel: "reduce_shuffle", Grid: d1(grid), Block: d1(threads), Args: []any{Buf(0), Buf(1), uint32(n)}}},
	}, {
		Name: "shuffle_segments", File: "08_reduce_shuffle.cu",
		Buffers: []any{poison(64, int32(-1)), poison(64, int32(-1)), seg}, Want: []any{max8, rotated, nil},
		Launches: []Launch{{Kernel: "shuffle_segments", Grid: d1(1), Block: d1(64), Args: []any{Buf(0), Buf(1), Buf(2)}}},
	}}
}

func scans(r *rand.Rand) []Case {
	const n, threads = 1000, 64
	in := words(r, n)
	exclusive := make([]uint32, n)
	for i := 1; i < n; i++ {
		exclusive[i] = exclusive[i-1] + in[i-1]
	}
	parts := int(blocks(n, 2*threads))
	totals := mapped(parts, func(b int) uint32 { return exclusive[b*2*threads] })
	const rows, width = 4, 100
	hin := ints(r, rows*width, 1000)
	inclusive := slices.Clone(hin)
	for i := range inclusive {
		if i%width > 0 {
			inclusive[i] += inclusive[i-1]
		}
	}
	return []Case{{
		Name: "scan_blelloch", File: "10_scan_blelloch.cu",
		Buffers: []any{poison(n, uint32(1)), poison(parts, uint32(1)), in}, Want: []any{exclusive, totals, nil},
		Launches: []Launch{
			{Kernel: "scan_blocks", Grid: d1(uint32(parts)), Block: d1(threads), SharedBytes: 8 * threads, Args: []any{Buf(0), Buf(1), Buf(2), uint32(n)}},
			{Kernel: "scan_blocks", Grid: d1(1), Block: d1(threads), SharedBytes: 8 * threads, Args: []any{Buf(1), Buf(-1), Buf(1), uint32(parts)}},
			{Kernel: "add_totals", Grid: d1(uint32(parts)), Block: d1(threads), Args: []any{Buf(0), Buf(1), uint32(n)}},
		},
	}, {
		Name: "scan_hillis", File: "11_scan_hillis.cu",
		Buffers: []any{poison(rows*width, int32(-1)), hin}, Want: []any{inclusive, nil},
		Launches: []Launch{{Kernel: "scan_hillis", Grid: d1(rows), Block: d1(128), SharedBytes: 2 * 128 * 4, Args: []any{Buf(0), Buf(1), int32(width)}}},
	}}
}

func histogram(r *rand.Rand) []Case {
	const n = 20_000
	data := mapped(n, func(int) uint8 { return uint8(min(255, int(16*r.ExpFloat64()))) })
	bins := mapped(256, func(i int) uint32 { return uint32(i) })
	want := slices.Clone(bins)
	for _, d := range data {
		want[d]++
	}
	return []Case{{
		Name: "histogram", File: "12_histogram.cu", Buffers: []any{bins, data}, Want: []any{want, nil},
		Launches: []Launch{{Kernel: "histogram", Grid: d1(6), Block: d1(128), Args: []any{Buf(0), Buf(1), uint32(n)}}},
	}}
}

func atomics(r *rand.Rand) []Case {
	const n = 300
	return []Case{atomicsU32(words(r, n)), atomicsWide(ints(r, n, 1<<20))}
}

func atomicsU32(x []uint32) Case {
	start := []uint32{1, 2, ^uint32(0), 0, ^uint32(0), 0, 0, 98, 50, 3, 0, 1}
	want := slices.Clone(start)
	for _, v := range x {
		want[0] += v
		want[1] -= v
		want[2] = min(want[2], v)
		want[3] = max(want[3], v)
		want[4] &= v | 0x10
		want[5] |= v & 0xff00
		want[6] ^= v
		if want[7]++; want[7] > 100 {
			want[7] = 0
		}
		if want[8] == 0 || want[8] > 77 {
			want[8] = 77
		} else {
			want[8]--
		}
		want[11] = want[11]*3 + 1
	}
	want[9], want[10] = 5, 1
	return Case{
		Name: "atomics_u32", File: "13_atomics.cu", Buffers: []any{start, x}, Want: []any{want, nil},
		Launches: []Launch{{Kernel: "atomics_u32", Grid: d1(blocks(len(x), 64)), Block: d1(64), Args: []any{Buf(0), Buf(1), uint32(len(x))}}},
	}
}

func atomicsWide(x []int32) Case {
	s, u, f, d := []int64{1 << 40, -1 << 40, 1 << 30}, []uint64{7, 9, 0}, []float32{2}, []float64{0.5}
	ws, wu, wf, wd := slices.Clone(s), slices.Clone(u), slices.Clone(f), slices.Clone(d)
	for _, v := range x {
		ws[0], ws[1] = min(ws[0], int64(v)), max(ws[1], int64(v))
		wu[0] += uint64(int64(v))
		wu[1] ^= uint64(int64(v)) << 20
		wf[0] += float32(v & 7)
		wd[0] += float64(v)
	}
	ws[2] = int64(slices.Min(x)) & 0xffffffff // only the low word is written
	wu[2] = uint64(len(x))
	return Case{
		Name: "atomics_wide", File: "13_atomics.cu",
		Buffers: []any{s, u, f, d, x}, Want: []any{ws, wu, wf, wd, nil},
		Launches: []Launch{{Kernel: "atomics_wide", Grid: d1(blocks(len(x), 64)), Block: d1(64), Args: []any{Buf(0), Buf(1), Buf(2), Buf(3), Buf(4), uint32(len(x))}}},
	}
}

func locks(*rand.Rand) []Case {
	const grid, threads = 3, 48
	order := make([]uint32, grid+1)
	want := mapped(grid+1, func(i int) uint32 { return uint32(2*i + 1) })
	want[grid] = grid
	return []Case{{
		Name: "spin_lock", File: "14_lock.cu",
		Buffers: []any{[]int32{0}, []int32{5}}, Want: []any{nil, []int32{5 + grid*threads}},
		Launches: []Launch{{Kernel: "spin_lock", Grid: d1(grid), Block: d1(threads), Args: []any{Buf(0), Buf(1)}}},
	}, {
		Name: "ticket_lock", File: "14_lock.cu",
		Buffers: []any{[]uint32{0}, []uint32{0}, order}, Want: []any{[]uint32{grid}, []uint32{grid}, want},
		Launches: []Launch{{Kernel: "ticket_lock", Grid: d1(grid), Block: d1(32), Args: []any{Buf(0), Buf(1), Buf(2)}}},
	}}
}

func bitonic(r *rand.Rand) []Case {
	const grid = 3
	keys := words(r, grid*512)
	values := mapped(grid*512, func(i int) uint32 { return keys[i] ^ 0xabcdef }) // tied to its key: the sort is not stable
	wk, wv := slices.Clone(keys), slices.Clone(values)
	for b := range grid {
		slices.Sort(wk[b*512 : b*512+512])
		slices.SortFunc(wv[b*512:b*512+512], func(a, b uint32) int { return cmp.Compare(a^0xabcdef, b^0xabcdef) })
	}
	return []Case{{
		Name: "bitonic", File: "19_bitonic.cu", Buffers: []any{keys, values}, Want: []any{wk, wv},
		Launches: []Launch{{Kernel: "bitonic", Grid: d1(grid), Block: d1(256), Args: []any{Buf(0), Buf(1)}}},
	}}
}

func dynamicShared(r *rand.Rand) []Case {
	const grid, n = 3, 50
	x := mapped(grid*n, func(int) float64 { return float64(r.IntN(40)) / 8 })
	means, ranks := make([]float64, grid), make([]int32, grid*n)
	for b := range grid {
		part := x[b*n : b*n+n]
		for i, v := range part {
			means[b] += v
			for j, w := range part {
				if w < v || w == v && j < i {
					ranks[b*n+i]++
				}
			}
		}
		means[b] /= n
	}
	return []Case{{
		Name: "dynamic_shared", File: "20_dynamic_shared.cu",
		Buffers: []any{poison(grid, -1.0), poison(grid*n, int32(-1)), x}, Want: []any{means, ranks, nil},
		Launches: []Launch{{Kernel: "dynamic_shared", Grid: d1(grid), Block: d1(64), SharedBytes: n * 12, Args: []any{Buf(0), Buf(1), Buf(2), int32(n)}}},
	}}
}
