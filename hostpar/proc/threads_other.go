//go:build !linux

package proc

import "iter"

// threadsOf yields nothing: of the threads of another process this system tells nothing.
func threadsOf(int) iter.Seq2[int, thread] { return func(func(int, thread) bool) {} }
