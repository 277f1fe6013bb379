//go:build !linux || tandem_portable

package futex

import (
	"sync/atomic"
	"time"
)

// Where the kernel does not wait for words that processes share, who waits looks again and again: soon at first, and once a
// millisecond in the end.
const (
	firstLook = 20 * time.Microsecond
	lastLook  = time.Millisecond
)

// Wait sleeps while *word is val, for at most d. It may return early.
func Wait(word *atomic.Uint32, val uint32, d time.Duration) {
	began := time.Now()
	for look := firstLook; word.Load() == val; look = min(2*look, lastLook) {
		left := d - time.Since(began)
		if left <= 0 {
			return
		}
		time.Sleep(min(look, left))
	}
}

// Wake does nothing: who waits sees that the word has changed. A word that is woken without a change is one whose waiters
// come back by themselves.
func Wake(*atomic.Uint32, int) {}
