package dl

// Pair is two C calls in one transition: of a function with one argument, and, if that returned 0, of one with up to eleven
// integer or pointer arguments. Both return an int. Without leaving C in between nothing can move the goroutine to another
// thread, so what the first sets for its thread holds for the second. It must be on the heap, as must be what the arguments
// point to, and is for one goroutine at a time.
type Pair struct {
	// First is called with Arg, Second with Args.
	First  Func
	Arg    uintptr
	Second Func
	Args   [11]uintptr
	result int32
	passed int32
}

// Run makes the calls. first is whether the result is that of the first function, which is the only one that was called then.
func (p *Pair) Run() (result int32, first bool) {
	p.passed = 0
	p.run()
	return p.result, p.passed == 0
}
