// Package task gives results that are not there yet: futures for goroutines and for anything else that answers later,
// executors, and an event loop with coroutines.
//
//	f, err := task.Submit(ctx, pool, func(ctx context.Context) (int, error) { return fib(40), nil })
//	...
//	n, err := f.Wait(ctx)
//
// A Future does not know who produces its value: a goroutine (Go), a pool (Submit), a coroutine (Spawn), a worker process
// or the network (NewPromise). All of them are waited for, combined and cancelled in the same way.
//
// A Loop runs callbacks and coroutines one at a time, in an order that depends on nothing but the program and its
// timers. It is for porting asyncio programs and for state that many activities share without locks; goroutines are
// the usual way to wait for many things at once. In a testing/synctest bubble its timers take no time.
//
// A wait that ends because of its context returns context.Cause(ctx). A function that panics gives a *par.PanicError.
package task
