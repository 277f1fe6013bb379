// Package futex lets processes wait for words of shared memory, and tells whether the process that holds something still
// lives.
//
// A process is known by its number and the time it was started, so that a number that the system gives out again is not
// mistaken for its former owner. On Linux it works between processes that see each other under /proc by the same numbers.
//
// Linux waits in the kernel. macOS and Windows wait in the kernel for words of one process only, so that there who waits
// looks again and again; so does Linux with the build tag tandem_portable, which is there to test that.
package futex

import (
	"errors"
	"os"
	"sync"
)

// ErrNotSupported reports that this system has no such thing.
var ErrNotSupported = errors.New("waiting for shared memory is not supported on this system")

// ID identifies a process for as long as the system runs: its number in the lower 31 bits, and a part of its starting
// time above bit 32. It is never 0.
type ID uint64

// pidBits is how much of an ID is the process number; the bit above is free for users of the package.
const pidBits = 31

// PID returns the number of the process.
func (id ID) PID() int { return int(id & (1<<pidBits - 1)) }

var self = sync.OnceValues(func() (ID, error) { return Of(os.Getpid()) })

// Self returns the ID of this process.
func Self() (ID, error) { return self() }
