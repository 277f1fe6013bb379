package random

import "sync"

const (
	stateWords = 5
	stateBits  = 32 * stateWords
	firstJump  = 67 // the exponent of the distance of subsequences
	jumpCount  = 37
)

// linear is a linear map of states over the field of two elements: the images of the bits of a state.
type linear [stateBits][stateWords]uint32

// apply is the image of a state: the sum of the images of its bits.
func (m *linear) apply(x [stateWords]uint32) (y [stateWords]uint32) {
	for i := range m {
		set := -(x[i/32] >> (i % 32) & 1)
		for k := range y {
			y[k] ^= set & m[i][k]
		}
	}
	return y
}

// twice is the map applied twice.
func (m *linear) twice() *linear {
	out := new(linear)
	for i := range m {
		out[i] = m.apply(m[i])
	}
	return out
}

// oneStep is what one step of XORWOW does to the shift register.
func oneStep() *linear {
	m := new(linear)
	for i := range m {
		var x [stateWords]uint32
		x[i/32] = 1 << (i % 32)
		t := x[0] ^ x[0]>>2
		m[i] = [stateWords]uint32{x[1], x[2], x[3], x[4], x[4] ^ x[4]<<4 ^ t ^ t<<1}
	}
	return m
}

// jumps are the maps of 2^67, 2^68 … steps, one after the other, as the kernel wants them.
var jumps = sync.OnceValue(func() []uint32 {
	m := oneStep()
	for range firstJump {
		m = m.twice()
	}
	table := make([]uint32, 0, jumpCount*stateBits*stateWords)
	for range jumpCount {
		for i := range m {
			table = append(table, m[i][:]...)
		}
		m = m.twice()
	}
	return table
})
