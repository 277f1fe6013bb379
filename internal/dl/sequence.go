package dl

// MaxSteps is the number of steps that a Sequence has room for.
const MaxSteps = 16

// Step is one call of a Sequence, of a C function with up to eleven integer or pointer arguments and an int as its result.
// What the arguments point to must be on the heap and kept there by the caller until Run has returned, as in Func.Call.
type Step struct {
	// Fn is the function.
	Fn Func
	// Args are its arguments, as many as it takes.
	Args [11]uintptr
	// Flag is the address of a C int, or 0. With a flag the function is called until that int is not 0.
	Flag uintptr
	// Times is how often the function is called at most for the sake of the flag; 0 is once.
	Times uint64
	// Result is what the last call returned, as a C int.
	Result int32
}

// Sequence is a list of C calls that are made without a return to Go in between, which costs more than many a function: the
// first call takes about 40 ns, each further one about 2. It stands for a piece of C such as
//
//	if ((rc = start(&request))) return rc;
//	for (int i = 0; i < times && !flag; i++) if ((rc = test(&request, &flag))) return rc;
//
// Nothing moves the goroutine to another thread in between, so what a call sets for its thread holds for those behind it.
//
// A Sequence must be on the heap, and is for one goroutine at a time. The thread is C's until Run returns: times are to be
// chosen such that other goroutines need not wait long for it.
type Sequence struct {
	steps [MaxSteps]Step
	n     uint64
	at    uint64
}

// Reset makes the sequence empty.
func (s *Sequence) Reset() { s.n = 0 }

// Len returns the number of steps.
func (s *Sequence) Len() int { return int(s.n) }

// Add appends a step, of which there can be MaxSteps, to be filled in. It must be filled in whole: it holds what it held
// when the sequence was used before.
func (s *Sequence) Add() *Step {
	step := &s.steps[s.n]
	s.n++
	return step
}

// Step returns a step, to see what has come of it.
func (s *Sequence) Step(i int) *Step { return &s.steps[i] }

// Run makes the calls of one step after the other. It returns the number of the step at which it ended: one whose function
// has not returned 0 or whose flag is still 0, or Len if there is no such step.
func (s *Sequence) Run() int {
	s.at = 0
	s.run()
	return int(s.at)
}
