//go:build !linux

package mpi

import (
	"runtime"
	"time"
)

// rest passes the time between two looks at the library when nothing has happened for that many. Other goroutines come
// first; after some milliseconds the processor is left to sleep.
func rest(idle int) {
	switch {
	case idle < 32:
	case idle < 20_000:
		runtime.Gosched()
	default:
		time.Sleep(50 * time.Microsecond)
	}
}
