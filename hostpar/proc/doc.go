// Package proc runs registered functions in other processes, and loses no more than one task when such a process dies.
//
//	var Square = proc.Register("square", func(ctx context.Context, x int) (int, error) { return x * x, nil })
//
//	func main() { os.Exit(proc.Main(run)) }
//
//	func run() int {
//		pool, err := proc.NewPool(ctx, proc.PoolConfig{})
//		...
//		defer pool.Close()
//		squares, err := proc.Map(ctx, pool, Square, xs, proc.MapConfig{})
//
// A worker is this same binary, started again. Main, called first in main and in TestMain, finds out that it is in a
// worker, serves, and returns without running the program:
//
//	func TestMain(m *testing.M) { os.Exit(proc.Main(m.Run)) }
//
// Package-level variables are initialised in workers too, which is how Register is known there; what main did before is
// not. Without Main nothing is started: the error is ErrNoMain.
//
// # Values
//
// Arguments and results are copied. Any type without channels, functions and unsafe pointers will do, with exported and
// other fields; what an interface holds must be registered with RegisterType. Queues, pipes and the objects of package
// shm can be passed too, and then stand for the same thing on both sides.
//
// # Faults
//
// An error of a function comes back as a *RemoteError, a panic as one with a stack, and the worker goes on. A worker that
// exits, is killed, takes longer than the task's time limit or more memory than its limit is replaced, and the task it
// was at gets a *WorkerError, or is tried again as often as PoolConfig.Retries says. Tasks that merely waited in the same
// worker are run elsewhere and not blamed.
//
// # Ends
//
// No process is left behind, whichever dies first. A worker whose parent is gone kills itself and all processes of its
// group, which it leads, within milliseconds; a worker that ends takes the rest of its group along. Every child is waited
// for, whether or not the program does. Processes that are stopped are continued when their parent dies.
//
// On Linux everything here works. On macOS and Windows, where this was built and never run, blame for the death of a worker
// is found by running its tasks one by one, a limit on memory is not watched, and waiting at queues and pipes is as package
// shm says.
package proc
