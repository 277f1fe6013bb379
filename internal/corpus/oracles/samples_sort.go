package main

import (
	"slices"

	"github.com/tandem-go/tandem/cuda"
)

const (
	sortTile   = 1024 // keys that a block sorts
	sortSample = 128
)

func sortingFiles(cs makeFile, with addTo) []file {
	return []file{
		cs("sortingNetworks/bitonicSort.cu", check{"bitonicSortShared", sortTiles("bitonicSortShared", 256, true)},
			check{"bitonicSortShared1 bitonicMergeGlobal bitonicMergeShared", bitonicLarge}),
		cs("sortingNetworks/oddEvenMergeSort.cu", check{"oddEvenMergeSortShared", sortTiles("oddEvenMergeSortShared", 256, true)},
			check{"oddEvenMergeSortShared oddEvenMergeGlobal", oddEvenLarge}),
		cs("mergeSort/bitonic.cu", check{"bitonicSortSharedKernel", sortTiles("bitonicSortSharedKernel", 128, false)}),
		with(cs("mergeSort/mergeSort.cu", check{"mergeSortSharedKernel", mergeTiles},
			check{"mergeSortSharedKernel generateSampleRanksKernel mergeRanksAndIndicesKernel mergeElementaryIntervalsKernel", mergeLarge}),
			"mergeSortSharedKernel<1U>", "mergeSortSharedKernel<0U>", "generateSampleRanksKernel<1U>", "mergeElementaryIntervalsKernel<1U>"),
	}
}

// keyed are keys with values that tell where each came from.
type keyed struct {
	keys, values []uint32
	dk, dv       *array[uint32] // of the sorted
	sk, sv       *array[uint32]
}

// newKeyed draws keys: different ones, or with repetitions.
func newKeyed(r *run, n int, unique bool) keyed {
	k := keyed{keys: integers[uint32](r, n, int64(n/3)), values: table(n, func(i int) uint32 { return uint32(i) })}
	if unique {
		for i, p := range r.rng.Perm(n) {
			k.keys[i] = uint32(p) * 977
		}
	}
	k.dk, k.dv = room(r, "DstKey", n, uint32(1<<31)), room(r, "DstVal", n, uint32(1<<31))
	k.sk, k.sv = give(r, "SrcKey", k.keys), give(r, "SrcVal", k.values)
	return k
}

// expect holds the arrays against parts of n keys, each in order; equal keys keep their order.
func (k keyed) expect(r *run, dk, dv *array[uint32], n int, up bool) {
	keys, values := slices.Clone(k.keys), slices.Clone(k.values)
	for at := 0; at < len(values); at += n {
		slices.SortStableFunc(values[at:at+n], func(a, b uint32) int {
			x, y := k.keys[a], k.keys[b]
			if !up {
				x, y = y, x
			}
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
	}
	for i, v := range values {
		keys[i] = k.keys[v]
	}
	dk.exact(r, keys)
	dv.exact(r, values)
}

// sortTiles sorts parts of n keys, n at most a tile. downToo is whether both directions are tried.
func sortTiles(kernel string, n int, downToo bool) func(*run) {
	return func(r *run) {
		k := newKeyed(r, 2*sortTile, true)
		r.launch(kernel, cuda.D1(2), cuda.D1(sortTile/2), k.dk, k.dv, k.sk, k.sv, n, 1)
		k.expect(r, k.dk, k.dv, n, true)
		if !downToo {
			return
		}
		d := newKeyed(r, 2*sortTile, true)
		r.launch(kernel, cuda.D1(2), cuda.D1(sortTile/2), d.dk, d.dv, d.sk, d.sv, sortTile, 0)
		d.expect(r, d.dk, d.dv, sortTile, false)
	}
}

// merges calls step for each pass of a merging network over n keys that are sorted in tiles.
func merges(n int, step func(size, stride int) (last bool)) {
	for size := 2 * sortTile; size <= n; size *= 2 {
		for stride := size / 2; stride > 0; stride /= 2 {
			if step(size, stride) {
				break
			}
		}
	}
}

func bitonicLarge(r *run) {
	const n = 4 * sortTile
	k := newKeyed(r, n, true)
	tiles, half := cuda.D1(n/sortTile), cuda.D1(sortTile/2)
	r.launch("bitonicSortShared1", tiles, half, k.dk, k.dv, k.sk, k.sv)
	merges(n, func(size, stride int) bool {
		if stride >= sortTile {
			r.launch("bitonicMergeGlobal", cuda.D1(n/512), cuda.D1(256), k.dk, k.dv, k.dk, k.dv, n, size, stride, 1)
			return false
		}
		r.launch("bitonicMergeShared", tiles, half, k.dk, k.dv, k.dk, k.dv, n, size, 1)
		return true
	})
	k.expect(r, k.dk, k.dv, n, true)
}

func oddEvenLarge(r *run) {
	const n = 4 * sortTile
	k := newKeyed(r, n, true)
	r.launch("oddEvenMergeSortShared", cuda.D1(n/sortTile), cuda.D1(sortTile/2), k.dk, k.dv, k.sk, k.sv, sortTile, 0)
	merges(n, func(size, stride int) bool {
		r.launch("oddEvenMergeGlobal", cuda.D1(n/512), cuda.D1(256), k.dk, k.dv, k.dk, k.dv, n, size, stride, 0)
		return false
	})
	k.expect(r, k.dk, k.dv, n, false)
}

func mergeTiles(r *run) {
	for _, kernel := range []string{"mergeSortSharedKernel<1U>", "mergeSortSharedKernel<0U>"} {
		k := newKeyed(r, 2*sortTile, false)
		r.launch(kernel, cuda.D1(2), cuda.D1(sortTile/2), k.dk, k.dv, k.sk, k.sv, sortTile)
		k.expect(r, k.dk, k.dv, sortTile, kernel[len(kernel)-3] == '1')
	}
}

// mergeLarge merges sorted tiles, twice as long ones each time: samples of both halves are ranked in each other, which
// divides the work into short intervals.
func mergeLarge(r *run) {
	const n = 8 * sortTile
	k := newKeyed(r, n, false)
	r.launch("mergeSortSharedKernel<1U>", cuda.D1(n/sortTile), cuda.D1(sortTile/2), k.dk, k.dv, k.sk, k.sv, sortTile)
	work := func() *array[uint32] { return scratch[uint32](r, "work", n) }
	ranksA, ranksB, limitsA, limitsB := work(), work(), work(), work()
	fromKey, fromValue, toKey, toValue := k.dk, k.dv, work(), work()
	const samples = n / (2 * sortSample)
	grid := cuda.Blocks(samples, 256)
	for stride := sortTile; stride < n; stride *= 2 {
		r.launch("generateSampleRanksKernel<1U>", grid, cuda.D1(256), ranksA, ranksB, fromKey, stride, n, samples)
		r.launch("mergeRanksAndIndicesKernel", grid, cuda.D1(256), limitsA, ranksA, stride, n, samples)
		r.launch("mergeRanksAndIndicesKernel", grid, cuda.D1(256), limitsB, ranksB, stride, n, samples)
		r.launch("mergeElementaryIntervalsKernel<1U>", cuda.D1(n/sortSample), cuda.D1(sortSample), toKey, toValue, fromKey, fromValue,
			limitsA, limitsB, stride, n)
		fromKey, fromValue, toKey, toValue = toKey, toValue, fromKey, fromValue
	}
	k.dk.spare, k.dv.spare = true, true
	k.expect(r, fromKey, fromValue, n, true)
}
