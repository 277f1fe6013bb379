package jit

// synchronise makes n bytes at an address, which were written as data, visible as instructions (Arm ARM, B2.7.4).
//
//go:noescape
func synchronise(addr, n uint64)
