//go:build !race

package mpi

// raceEnabled turns on the check that buffers do not change while they are sent.
const raceEnabled = false

func checksum([]byte) uint64 { return 0 }
