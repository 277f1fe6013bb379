package hetero

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/tandem-go/tandem/cuda"
)

// Op is how two values become one. Combine is associative, up to rounding, and Identity changes nothing: Combine(Identity,
// x) is x.
type Op[T cuda.Element] struct {
	Identity T
	Combine  func(a, b T) T
}

// Number is what has a sum and an order.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Sum adds. Of negative zeros alone the sum is +0.
func Sum[T cuda.Element]() Op[T] {
	return Op[T]{Combine: func(a, b T) T { return a + b }}
}

// Min takes the lesser; most, such as math.Inf(1) or math.MaxInt32, is not less than any value. A NaN on either side stays.
func Min[T Number](most T) Op[T] {
	return Op[T]{Identity: most, Combine: func(a, b T) T { return min(a, b) }}
}

// Max takes the greater; least is not more than any value. A NaN on either side stays.
func Max[T Number](least T) Op[T] {
	return Op[T]{Identity: least, Combine: func(a, b T) T { return max(a, b) }}
}

// Tree combines values in a fixed binary tree: neighbours first, then neighbours of those. The same values in the same
// order give the same bits, and the rounding error of a sum grows with the logarithm of their number only. It returns the
// identity for no values.
func Tree[T cuda.Element](values []T, op Op[T]) T {
	if len(values) == 0 {
		return op.Identity
	}
	level, own := values, []T(nil)
	for len(level) > 1 {
		half := (len(level) + 1) / 2
		if own == nil {
			own = make([]T, half)
		}
		for i := range len(level) / 2 {
			own[i] = op.Combine(level[2*i], level[2*i+1])
		}
		if len(level)%2 == 1 {
			own[half-1] = level[len(level)-1]
		}
		level = own[:half]
	}
	return level[0]
}

// Reduce gives the kernel an array with one element for each block of the whole grid, by linear index, x fastest. Each
// block writes its own, a value for all of its items, and after a run without error *dst is all of them combined by Tree.
// Blocks are never divided, so the bits of the result do not depend on how the run was split, on failures, or on the
// number of devices. A body in Go finds the array by
// Elements, and is called for whole rows of blocks. *dst changes only if all items were done.
func Reduce[T cuda.Element](dst *T, op Op[T]) Arg {
	return &reduction[T]{dst: dst, op: op, elements: elements[T]{mem: &memory[T]{}, part: Part{kind: byBlocks}, out: true}}
}

// reduction is Reduce: an Out of the values of blocks.
type reduction[T cuda.Element] struct {
	elements[T]
	dst *T
	op  Op[T]
}

// check also makes the array, which stays for later runs of its size.
func (a *reduction[T]) check(l *layout) error {
	if a.dst == nil || a.op.Combine == nil {
		return fmt.Errorf("%w: a reduction without a destination or an operator", ErrDeclaration)
	}
	if n := l.units * l.wide; len(a.mem.data) != n {
		a.mem = &memory[T]{data: make([]T, n)}
	}
	return nil
}

func (a *reduction[T]) blockwise() {}

// blockwise is a reduction of any type.
type blockwise interface{ blockwise() }

func (a *reduction[T]) finish() { *a.dst = Tree(a.mem.data, a.op) }

// finisher is an argument with a result that is made when all items are done.
type finisher interface{ finish() }

// Accumulator is an array that all items may change; see Accum.
type Accumulator[T cuda.Element] struct {
	dst []T
	op  Op[T]

	mu    sync.Mutex
	total []T // guarded by mu: what committed chunks add up to
}

// Accum gives the kernel an array of len(dst) elements, each the identity at first, that all its items may change, by
// atomic operations that the operator describes: a histogram, for instance. Each chunk has an array of its own, and only
// those of chunks that count are combined, so that a failure counts nothing twice. After a run without error dst is the
// result; what was in it is overwritten. A body in Go finds its array by Accumulator.Local.
//
// The order in which chunks end decides the order of combining. For integers that makes no difference; for floating-point
// sums it does, and RunConfig.Deterministic refuses them: use Reduce.
func Accum[T cuda.Element](dst []T, op Op[T]) *Accumulator[T] {
	return &Accumulator[T]{dst: dst, op: op}
}

func (a *Accumulator[T]) check(*layout) error {
	if a.op.Combine == nil {
		return fmt.Errorf("%w: an accumulator without an operator", ErrDeclaration)
	}
	a.restart()
	return nil
}

func (a *Accumulator[T]) restart() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total = a.fresh(a.total)
}

// fresh is an array of identities, in place of old if that fits.
func (a *Accumulator[T]) fresh(old []T) []T {
	if len(old) != len(a.dst) {
		old = make([]T, len(a.dst))
	}
	for i := range old {
		old[i] = a.op.Identity
	}
	return old
}

func (a *Accumulator[T]) span() (lo, hi uintptr, written bool) {
	if len(a.dst) == 0 {
		return 0, 0, false
	}
	lo = reflect.ValueOf(a.dst).Pointer()
	return lo, lo + uintptr(len(a.dst))*reflect.TypeFor[T]().Size(), true
}

// add combines the array of a chunk into the total.
func (a *Accumulator[T]) add(part []T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, v := range part {
		a.total[i] = a.op.Combine(a.total[i], v)
	}
}

func (a *Accumulator[T]) finish() {
	a.mu.Lock()
	defer a.mu.Unlock()
	copy(a.dst, a.total)
}

// rounds reports whether the order of combining makes a difference.
func (a *Accumulator[T]) rounds() bool {
	k := reflect.TypeFor[T]().Kind()
	return k >= reflect.Float32 && k <= reflect.Complex128
}

// Local is the array for the items of c, which the body may change without locks.
func (a *Accumulator[T]) Local(c Chunk) []T {
	l, _ := c.local[a].(*localPart[T])
	if l == nil {
		l = &localPart[T]{acc: a, values: a.fresh(nil)}
		c.local[a] = l
	}
	return l.values
}

// localPart is an accumulator's array for one call of a Go body.
type localPart[T cuda.Element] struct {
	acc    *Accumulator[T]
	values []T
}

func (l *localPart[T]) add() { l.acc.add(l.values) }

// local is a localPart of any type.
type local interface{ add() }

// Elements is the slice of argument i of the run, in the body of a kernel: after Plan.Swap it is another one than when
// the plan was made. It is nil if the argument has no elements of type T.
func Elements[T cuda.Element](c Chunk, i int) []T {
	if i < 0 || i >= len(c.args) {
		return nil
	}
	switch a := c.args[i].(type) {
	case *elements[T]:
		return a.mem.data
	case *reduction[T]:
		return a.mem.data
	}
	return nil
}
