//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/engine"

// Form names what an instruction does, as the list of native operations does.
var Form = form

// TakeExecuted is how many operations of lanes a block has executed in compiled code since it was asked last.
func TakeExecuted(b engine.Block) uint64 {
	at := b.(*running).area[areaExecuted:]
	n := le.Uint64(at)
	le.PutUint64(at, 0)
	return n
}
