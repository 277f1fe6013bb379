// Package jit compiles kernels to vector machine code: one lane of a vector for each thread, one pass for each warp.
//
// A kernel is compiled whole, for one extent of the block where that is known. Every value of the IR has one home for all
// its life: registers, or a place in the frame of the warp. Blocks are laid out in their order, and lanes that diverge
// wait, as bits in the frame, at the block they go to; the first block at which lanes wait runs. So every place at which
// compiled code can stop is a state that Go can read: an operation without machine code is executed by package ops on the
// values in their homes, and a block whose threads behave in a way that compiled code does not provide for (groups that
// have to overtake each other, barriers in divergent code, calls) goes on in the reference engine from where it stands.
//
// Where a processor's registers cannot hold whole warps, code goes through a piece of a block once for each quarter of the
// warp (narrow.go); lanes stay in lockstep, and what Go sees is the same.
//
// Addresses that differ from lane to lane by constants are known from the analysis (plan.go), and accesses to them are
// plain vector loads and stores. Each access is checked against the region that it found last; what that does not
// approve is decided in Go by the table of package mem.
package jit

import "errors"

// ErrUnavailable says that this machine or build has no compiled engine.
var ErrUnavailable = errors.New("no engine for this processor")
