// Package shm keeps values, arrays, queues and locks in memory that processes share, and survives the death of any of them.
//
//	v, err := shm.NewValue(int64(0))
//	p, err := proc.Start(ctx, Count, v, proc.StartConfig{}) // the process counts in the same memory
//
// Objects are passed to other processes as arguments, results or messages of package proc; what arrives stands for the
// same memory. Memory has no name and goes with the last process that has it; unrelated processes share a Named segment.
//
// Elements must not hold pointers: no strings, slices, maps, interfaces. That is checked.
//
// Locks know which process holds them. When it dies, the next who asks gets the lock, and is told, as what the lock
// protects may be half changed. The end of a context is noticed within 50 ms, usually at once. A lock belongs to a process:
// which of its goroutines releases it is its own affair.
//
// On Linux waiting is done in the kernel, and takes a thread for each waiting goroutine; processes must see each other under
// /proc by the same numbers, so they cannot be in different containers. On macOS and Windows who waits looks again and
// again, after 20 µs at first and once a millisecond in the end, and memory is a mapped file without a name in the folder for
// temporary files. These were built and never run; the build tag tandem_portable makes Linux wait and keep memory in that
// way, and all tests pass with it. Elsewhere what makes an object returns ErrNotSupported.
package shm
