// Package par spreads loops, slices and streams over goroutines, and gives every synchronisation object a context.
//
//	squares, err := par.Map(ctx, xs, par.Config{}, func(ctx context.Context, x int) (int, error) { return x * x, nil })
//
// The rules are the same everywhere.
//
// Nothing outlives its call: For, Map, Reduce, Stream and Group.Wait return when all goroutines they started have
// ended, also after an error, a panic or a cancelled context.
//
// The first error cancels the context that the functions were given. The error of the call is an *ItemError that tells
// the index of the failed item.
//
// A panic in a function is re-raised in the caller as a *PanicError that holds the stack of the goroutine it happened
// on; the runtime prints that and the caller's stack. Where no caller waits (Pool, Thread), it is returned as an error.
//
// A wait that ends because of its context returns context.Cause(ctx) and changes nothing. Where a wait has succeeded and
// its context has ended at the same time, either may be reported.
//
// Package par starts its goroutines with go statements for each call, rather than keep them, so that it can be used and
// tested inside a testing/synctest bubble and profiler labels are inherited; starting one takes well under a
// microsecond. Thread, RMutex and Sequencer are for porting; new programs rarely need them.
package par
