package random

// Jumps is the table of XORWOW's maps, State the first state of a generator.
func Jumps() []uint32 { return jumps() }

// State is the state of XORWOW at number 0.
func (g *Generator) State() [6]uint32 { return g.state() }

// ExpNegative is exp(-x).
func ExpNegative(x float64) float64 { return expNegative(x) }

// JumpOf is the image of a state after 2^k steps, by squaring the map of one.
func JumpOf(k int, x [5]uint32) [5]uint32 {
	m := oneStep()
	for range k {
		m = m.twice()
	}
	return m.apply(x)
}
