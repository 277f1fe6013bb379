package main

import (
	"slices"

	"github.com/tandem-go/tandem/cuda"
)

func byteHistogram(r *run) {
	const n = 20000
	data := integers[uint8](r, n, 256)
	d := give(r, "histo", make([]uint32, 256))
	r.launch("histo_kernel", cuda.D1(3), cuda.D1(256), give(r, "buffer", data), n, d)
	want := make([]uint32, 256)
	for _, b := range data {
		want[b]++
	}
	d.exact(r, want)
}

// bitString grows by the low bits of words, most significant first.
type bitString struct {
	words []uint32
	bits  int
}

func (s *bitString) put(value uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if s.bits%32 == 0 {
			s.words = append(s.words, 0)
		}
		if value>>i&1 != 0 {
			s.words[s.bits/32] |= 1 << (31 - s.bits%32)
		}
		s.bits++
	}
}

// huffmanEncode writes the codes of a block's bytes one after the other, from the highest byte of each word.
func huffmanEncode(r *run) {
	const blocks, threads, symbols = 3, 256, 256
	data := integers[uint32](r, blocks*threads, 1<<32)
	lengths := table(symbols, func(int) uint32 { return uint32(2 + r.rng.IntN(6)) })
	codes := table(symbols, func(i int) uint32 { return r.rng.Uint32() & (1<<lengths[i] - 1) })
	out, total := room(r, "out", blocks*threads, uint32(0xdeadbeef)), room(r, "outidx", blocks, uint32(0xdeadbeef))
	spare := func(name string) *array[uint32] { return room(r, name, blocks*threads, uint32(1)) }
	r.launchShared("vlc_encode_kernel_sm64huff", cuda.D1(blocks), cuda.D1(threads), 4*(2*symbols+threads),
		give(r, "data", data), give(r, "codewords", codes), give(r, "codewordlens", lengths),
		spare("cw32"), spare("cw32len"), spare("cw32idx"), out, total)
	want, bits := slices.Clone(out.was), make([]uint32, blocks)
	for b := range blocks {
		var s bitString
		for _, word := range data[b*threads:][:threads] {
			for shift := 24; shift >= 0; shift -= 8 {
				symbol := word >> shift & 0xff
				s.put(codes[symbol], int(lengths[symbol]))
			}
		}
		bits[b] = uint32(s.bits)
		words := want[b*threads:][:threads]
		clear(words[:min(s.bits/32+1, threads)])
		copy(words, s.words)
	}
	out.exact(r, want)
	total.exact(r, bits)
}

// huffmanPack joins the bit strings of blocks.
func huffmanPack(r *run) {
	const blocks, words = 64, 16
	source := integers[uint32](r, blocks*words, 1<<32)
	sizes, starts := make([]uint32, blocks), make([]uint32, blocks)
	var s bitString
	for b := range blocks {
		sizes[b], starts[b] = uint32(64+r.rng.IntN(32*(words-2)-64)), uint32(s.bits)
		last := b*words + int(sizes[b])/32
		source[last] &^= 1<<(32-sizes[b]%32) - 1 // what follows the string is zero
		for k := range int(sizes[b]) {
			s.put(source[b*words+k/32]>>(31-k%32), 1)
		}
	}
	out := give(r, "dstData", make([]uint32, len(s.words)+2))
	r.launch("pack2", cuda.D1(blocks/16), cuda.D1(16), give(r, "srcData", source), give(r, "cindex", sizes), give(r, "cindex2", starts), out, words)
	out.exact(r, append(s.words, 0, 0))
}

// prescan scans blocks of twice as many elements as threads, exclusively, and keeps their sums.
func prescan(r *run) {
	const blocks, threads = 3, 256
	in := integers[uint32](r, blocks*2*threads, 1<<32)
	out, sums := room(r, "out", len(in), uint32(1)), room(r, "blockSums", blocks, uint32(1))
	shared := 4 * (2*threads + 2*threads/16)
	r.launchShared("prescan<true,false>", cuda.D1(blocks), cuda.D1(threads), shared, out, give(r, "in", in), sums, 2*threads, 0, 0)
	want, total := make([]uint32, len(in)), make([]uint32, blocks)
	for i, v := range in {
		want[i] = total[i/(2*threads)]
		total[i/(2*threads)] += v
	}
	out.exact(r, want)
	sums.exact(r, total)
	const short = 2*threads - 77 // one block that is not full
	last := room(r, "last", short, uint32(1))
	r.launchShared("prescan<false,true>", cuda.D1(1), cuda.D1(threads), shared, last, give(r, "short", in[:short]), nil, short, 0, 0)
	last.exact(r, want[:short])
}

func uniformAdd(r *run) {
	const blocks, threads = 4, 128
	data, more := integers[uint32](r, blocks*2*threads, 1<<32), integers[uint32](r, blocks+1, 1<<32)
	d := give(r, "data", data)
	r.launch("uniformAdd", cuda.D1(blocks), cuda.D1(threads), d, give(r, "uniforms", more), 2*threads, 1, 0)
	d.exact(r, table(len(data), func(i int) uint32 { return data[i] + more[i/(2*threads)+1] }))
}

func splitColours(r *run) {
	const threads, pixels = 256, 3 * 256
	picture := integers[uint8](r, 3*pixels, 256)
	src := give(r, "src", picture)
	ints, floats := [3]*array[int32]{}, [3]*array[float32]{}
	for k := range 3 {
		ints[k], floats[k] = room(r, "component", pixels, int32(999)), room(r, "component", pixels, float32(9))
	}
	r.launch("c_CopySrcToComponents<int>", cuda.D1(pixels/threads), cuda.D1(threads), ints[0], ints[1], ints[2], src, pixels)
	r.launch("c_CopySrcToComponents<float>", cuda.D1(pixels/threads), cuda.D1(threads), floats[0], floats[1], floats[2], src, pixels)
	for k := range 3 {
		ints[k].exact(r, table(pixels, func(i int) int32 { return int32(picture[3*i+k]) - 128 }))
		within(r, floats[k], table(pixels, func(i int) approx { return grey(picture[3*i+k]) }))
	}
}

// grey is a level between -0.5 and 0.5.
func grey(b uint8) approx {
	return single.sub(single.div(lift(float32(b)), lift(255.0)), lift(0.5))
}

func copyGrey(r *run) {
	const threads, pixels = 256, 3 * 256
	picture := integers[uint8](r, pixels, 256)
	src := give(r, "src", picture)
	ints, floats := room(r, "component", pixels, int32(999)), room(r, "component", pixels, float32(9))
	r.launch("c_CopySrcToComponent<int>", cuda.D1(pixels/threads), cuda.D1(threads), ints, src, pixels)
	r.launch("c_CopySrcToComponent<float>", cuda.D1(pixels/threads), cuda.D1(threads), floats, src, pixels)
	ints.exact(r, table(pixels, func(i int) int32 { return int32(picture[i]) - 128 }))
	within(r, floats, table(pixels, func(i int) approx { return grey(picture[i]) }))
}
