package hostdev

import (
	"errors"
	"math/bits"
	"sync"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/mem"
)

// layout says how a window of one launch is divided: shared memory first, then the local memory of each thread.
type layout struct {
	shared, stride, threads int
	class                   int
}

const windowAlign = 256

func newLayout(shared, local, threads int) layout {
	l := layout{shared: shared, stride: (local + 15) &^ 15}
	l.threads = (threads + engine.WarpSize - 1) / engine.WarpSize * engine.WarpSize
	l.class = max(bits.Len64(l.bytes()-1), leastClass)
	return l
}

// leastClass is the smallest size of a window as a power of two.
const leastClass = 12

func (l layout) sharedEnd() uint64 { return (uint64(l.shared) + windowAlign - 1) &^ (windowAlign - 1) }

func (l layout) bytes() uint64 { return max(1, l.sharedEnd()+uint64(l.stride)*uint64(l.threads)) }

// window is scratch memory for one block. The zero window is none.
type window struct {
	addr  uint64
	class int
	bytes []byte // view of the block's shared and local memory
}

func (w window) valid() bool { return w.addr != 0 }

// engine describes the window to an engine.
func (w window) engine(l layout, worker int) engine.Windows {
	return engine.Windows{Shared: w.addr, Local: w.addr + l.sharedEnd(), LocalStride: l.stride, Worker: worker}
}

// windows keeps the scratch memory of blocks between launches, by size class.
type windows struct {
	mem    *mem.Space
	poison bool
	keep   int // windows of each class that are kept, whatever their size

	mu    sync.Mutex
	spare [64][]uint64
	err   error
}

// keepBytes bounds what is kept beyond windows.keep, of each class: a cooperative launch may need very many.
const keepBytes = 64 << 20

// reserve returns a window, or the reason why there is none.
func (p *windows) reserve(l layout) (window, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := window{class: l.class}
	if list := p.spare[l.class]; len(list) > 0 {
		w.addr = list[len(list)-1]
		p.spare[l.class] = list[:len(list)-1]
	} else {
		addr, err := p.mem.Reserve(1 << l.class)
		if err != nil {
			return window{}, err
		}
		w.addr = addr
	}
	w.bytes = p.mem.Scratch(w.addr, l.bytes())
	return w, nil
}

// prepare gives the shared and local memory of a new block the same contents always, so that a kernel that reads what it did not
// write is wrong in the same way in every run.
func (p *windows) prepare(w window) {
	if p.poison {
		mem.Fill(w.addr, uint64(len(w.bytes)), mem.PoisonByte)
		return
	}
	clear(w.bytes)
}

// give takes a window back; giving none does nothing.
func (p *windows) give(w window) {
	if !w.valid() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.spare[w.class]); n >= p.keep && uint64(n)<<w.class >= keepBytes {
		p.err = errors.Join(p.err, p.mem.Unreserve(w.addr))
		return
	}
	p.spare[w.class] = append(p.spare[w.class], w.addr)
}

// failed returns the errors of give.
func (p *windows) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
