//go:build !((amd64 || arm64) && ((linux && !android) || darwin)) || tandem_nodl

package dl

// run makes the calls one by one, as there is no assembly for this system.
func (s *Sequence) run() { s.oneByOne() }
