package hostdev

import "math/bits"

// order says in which order blocks begin and how long their first slice is. The zero value is the natural order.
type order struct {
	seed         uint64 // 0: natural
	factor, term uint64 // block i is (i*factor + term) mod count, with factor coprime to count
}

// shuffle gives launch number n of the device an order drawn from the seed.
func (g *grid) shuffle(seed, n uint64) {
	g.order = order{}
	if seed == 0 {
		return
	}
	o := order{seed: mix(seed + n)}
	o.term = mix(o.seed+1) % g.count
	for o.factor = mix(o.seed+2)%g.count | 1; gcd(o.factor, g.count) != 1; o.factor += 2 {
	}
	g.order = o
}

// index returns which block begins as number i of count.
func (o order) index(i, count uint64) uint64 {
	if o.seed == 0 {
		return i
	}
	hi, lo := bits.Mul64(i, o.factor)
	lo, carry := bits.Add64(lo, o.term, 0)
	return bits.Rem64(hi+carry, lo, count)
}

// slice returns how long the block that begins as number i runs at first, at most n.
func (o order) slice(i uint64, n int) int {
	if o.seed == 0 {
		return n
	}
	return 1 + int(mix(o.seed^i)%uint64(n))
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// gcd returns the greatest common divisor.
func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
