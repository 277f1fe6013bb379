//go:build linux && (amd64 || arm64)

package jit

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/ir"
)

// marks are where the code of instructions begins, for listings. The methods of a nil *marks do nothing, which is what
// compilations that nobody lists have.
type marks struct {
	list []mark
	// owners are the instructions of the pieces out of line, in their order.
	owners  []*ir.Instr
	outside bool
}

// mark says that code from an offset on is of an instruction, or of none if in is nil: of what it then is.
type mark struct {
	offset  int
	in      *ir.Instr
	what    string
	outside bool // out of line
}

// begin notes that the code of in begins.
func (m *marks) begin(offset int, in *ir.Instr) {
	if m != nil {
		m.list = append(m.list, mark{offset: offset, in: in, outside: m.outside})
	}
}

// shared notes that code of no instruction begins.
func (m *marks) shared(offset int, what string) {
	if m != nil {
		m.list = append(m.list, mark{offset: offset, what: what, outside: m.outside})
	}
}

// block notes that the code of b begins.
func (m *marks) block(offset int, b *ir.Block) {
	if m != nil {
		m.shared(offset, fmt.Sprintf("block b%d", b.ID))
	}
}

// own notes that the pieces out of line up to n that have no owner are of in.
func (m *marks) own(n int, in *ir.Instr) {
	for m != nil && len(m.owners) < n {
		m.owners = append(m.owners, in)
	}
}

// piece notes that piece i out of line begins, and calls emit, which may add to them; count tells how many there are.
func (m *marks) piece(i, offset int, emit func(), count func() int) {
	if m == nil {
		emit()
		return
	}
	m.own(i+1, nil)
	m.outside = true
	in := m.owners[i]
	if in == nil {
		m.shared(offset, "the way into a block")
	} else {
		m.begin(offset, in)
	}
	emit()
	m.own(count(), in)
}
