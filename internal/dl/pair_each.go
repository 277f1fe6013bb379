//go:build !((amd64 || arm64) && ((linux && !android) || darwin)) || tandem_nodl

package dl

import "runtime"

// run makes the calls one by one on one thread.
func (p *Pair) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if p.result = int32(p.First.Call(p.Arg)); p.result != 0 {
		return
	}
	p.passed = 1
	p.result = int32(p.Second.Call(p.Args[:]...))
}
