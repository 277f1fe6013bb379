package jit

import "github.com/tandem-go/tandem/internal/ir"

// Listing is the machine code of a kernel, piece by piece.
type Listing struct {
	// Engine is the name of the engine that it is for.
	Engine string
	// Size is the number of bytes, and Pieces are all of them in order.
	Size   int
	Pieces []Piece
}

// Piece is machine code that was emitted at once.
type Piece struct {
	// In is the instruction of the kernel that it executes, nil if it is none's; then What says what it is for.
	In   *ir.Instr
	What string
	// Outside is whether it stands out of line, where what is rare goes on.
	Outside bool
	Code    []Machine
}

// Machine is one machine instruction. Places in the code that it names are offsets in hexadecimal.
type Machine struct {
	Offset int
	Bytes  []byte
	Text   string
}
