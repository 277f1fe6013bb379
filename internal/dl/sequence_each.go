package dl

import "runtime"

// oneByOne does what the assembly does, each call on its own, all on one thread.
func (s *Sequence) oneByOne() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for ; s.at < s.n; s.at++ {
		step := &s.steps[s.at]
		for left := max(step.Times, 1); ; left-- {
			step.Result = int32(step.Fn.Call(step.Args[:]...))
			if step.Result != 0 {
				return
			}
			if step.Flag == 0 || *(*int32)(cPointer(step.Flag)) != 0 {
				break
			}
			if left == 1 {
				return
			}
		}
	}
}
