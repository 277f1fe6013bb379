//go:build !linux

package futex

import (
	"sync/atomic"
	"time"
	"unsafe"
)

// Wait does nothing.
func Wait(*atomic.Uint32, uint32, time.Duration) {}

// Wake does nothing.
func Wake(*atomic.Uint32, int) {}

// Low returns the lower half of a 64-bit word, for Wait and Wake.
func Low(word *atomic.Uint64) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(word)) }

func identify() (ID, error) { return 0, ErrNotSupported }

// Alive reports whether a process has not ended. In doubt it has not.
func Alive(ID) bool { return true }

// Of returns the ID of a process that has not ended.
func Of(int) (ID, error) { return 0, ErrNotSupported }
