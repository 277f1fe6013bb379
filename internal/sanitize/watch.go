package sanitize

import (
	"fmt"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// Launch watches one launch. It implements engine.Watch.
type Launch struct {
	checker *Checker
	kernel  *ir.Kernel
	l       *engine.Launch
	tools   Tools
	races   *races // nil without Racecheck
	guesses map[*ir.Instr]bool
	spare   []*block
}

// Launch returns what watches a launch of k with some tools. The engine.Launch must not change while the launch runs.
func (c *Checker) Launch(k *ir.Kernel, l *engine.Launch, tools Tools) *Launch {
	w := &Launch{checker: c, kernel: k, l: l, tools: tools}
	if tools&Racecheck != 0 {
		w.races = newRaces()
		w.guesses = guesses(k)
	}
	return w
}

// guesses are the loads from the address of a compare-and-swap of the same function: the first guess of the loop around it,
// which may be as wrong as it likes.
func guesses(k *ir.Kernel) map[*ir.Instr]bool {
	type address struct {
		base *ir.Value
		imm  uint64
	}
	out := map[*ir.Instr]bool{}
	for _, f := range k.Funcs {
		swaps := map[address]bool{}
		each := func(visit func(*ir.Instr)) {
			for _, b := range f.Blocks {
				for _, in := range b.Instrs {
					visit(in)
				}
			}
		}
		each(func(in *ir.Instr) {
			if in.Op == ir.OpAtom && ir.AtomicOp(in.Sub) == ir.AtomCas {
				swaps[address{in.Args[0], in.Imm}] = true
			}
		})
		each(func(in *ir.Instr) {
			if in.Op == ir.OpLoad && swaps[address{in.Args[0], in.Imm}] {
				out[in] = true
			}
		})
	}
	return out
}

// ShadowBytes is the largest size that the shadow of the launch has had so far, and that of the device.
func (w *Launch) ShadowBytes() uint64 {
	c := w.checker
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.init.bytes()
	if w.races != nil {
		n += w.races.bytes()
	}
	return n
}

func (w *Launch) linear(at [3]uint32) uint64 {
	return uint64(at[0]) + uint64(w.l.Grid[0])*(uint64(at[1])+uint64(w.l.Grid[1])*uint64(at[2]))
}

func (w *Launch) coordinate(i uint64) [3]uint32 {
	x, y := uint64(w.l.Grid[0]), uint64(w.l.Grid[1])
	return [3]uint32{uint32(i % x), uint32(i / x % y), uint32(i / x / y)}
}

// block watches one block.
type block struct {
	launch *Launch
	index  uint64
	at     [3]uint32
	win    engine.Windows
	local  uint64 // end of local memory
	warps  []raceWarp
	shared []*sharedPage
	bars   [16][]arrival
	// written are the bytes of shared memory that were written.
	written []uint64
}

// arrival is lanes of a warp that have come to a barrier.
type arrival struct {
	in    *ir.Instr
	warp  int
	mask  uint32
	whole bool // all lanes that had not ended then
}

// Block begins to watch a block.
func (w *Launch) Block(at [3]uint32, win engine.Windows) engine.BlockWatch {
	threads := uint64(w.l.Block[0]) * uint64(w.l.Block[1]) * uint64(w.l.Block[2])
	var b *block
	if n := len(w.spare); n > 0 {
		b, w.spare = w.spare[n-1], w.spare[:n-1]
	} else {
		b = &block{launch: w, warps: make([]raceWarp, (threads+engine.WarpSize-1)/engine.WarpSize)}
		b.shared = make([]*sharedPage, (w.l.SharedBytes/4+sharedWords)/sharedWords)
		b.written = make([]uint64, (w.l.SharedBytes+63)/64)
	}
	b.index, b.at, b.win = w.linear(at), at, win
	b.local = win.Local + threads*uint64(win.LocalStride)
	clear(b.written)
	if w.races != nil {
		for i := range b.warps {
			b.warps[i] = raceWarp{time: w.races.tick(), recent: map[*ir.Instr]uint32{}}
		}
	}
	return b
}

// End forgets what the block did in shared memory.
func (b *block) End() {
	if r := b.launch.races; r != nil {
		for i, p := range b.shared {
			if p != nil {
				r.drop(p)
				b.shared[i] = nil
			}
		}
		for i := range b.warps {
			for _, id := range b.warps[i].recent {
				r.recs.unref(id)
			}
			b.warps[i] = raceWarp{}
		}
	}
	for i := range b.bars {
		b.bars[i] = b.bars[i][:0]
	}
	b.launch.spare = append(b.launch.spare, b)
}

func lowest(mask uint32) int { return bits.TrailingZeros32(mask) }

// Access checks an access. Local memory is nobody else's. The lanes of an access through generic addresses may be in
// different spaces.
func (b *block) Access(a *engine.Access) {
	var shared, global uint32
	switch a.In.Space {
	case ir.SpaceShared:
		shared = a.Mask
	case ir.SpaceGlobal:
		global = a.Mask
	case ir.SpaceGeneric:
		for m := a.Mask; m != 0; m &= m - 1 {
			switch lane := lowest(m); {
			case a.Place[lane]-b.win.Shared < uint64(b.launch.l.SharedBytes):
				shared |= 1 << lane
			case a.Place[lane]-b.win.Local >= b.local-b.win.Local:
				global |= 1 << lane
			}
		}
	}
	for _, part := range [2]uint32{shared, global} {
		if part == 0 {
			continue
		}
		a.Mask = part
		if b.launch.tools&Initcheck != 0 {
			b.initAccess(a, part == shared)
		}
		if b.launch.races != nil {
			b.raceAccess(a, part == shared)
		}
	}
}

// initAccess checks what is read and notes what is written. An atomic exchange does not use what it reads.
func (b *block) initAccess(a *engine.Access, shared bool) {
	reads := a.Kind == engine.Read || a.Kind == engine.Update && !overwrites(a.In)
	c := b.launch.checker
	all := uint64(1)<<a.Size - 1
	if !shared {
		c.mu.Lock()
		defer c.mu.Unlock()
	}
	for m := a.Mask; m != 0; m &= m - 1 {
		lane := lowest(m)
		at := a.Place[lane]
		if reads {
			written := all
			if shared {
				written = bitsAt(b.written, at-b.win.Shared, a.Size)
			} else {
				written = c.init.written(at, a.Size)
			}
			if written != all {
				f := b.finding(Initcheck, Uninitialised, a, lane, at)
				f.Addr += first(written)
				f.Size -= int(first(written))
				f.Detail = fmt.Sprintf("%d of %d bytes were never written", bits.OnesCount64(all&^written), a.Size)
				c.add2(f, shared)
			}
		}
		if a.Kind != engine.Read {
			if shared {
				setBits(b.written, at-b.win.Shared, a.Size)
			} else {
				c.init.mark(at, uint64(a.Size), true, true)
			}
		}
	}
}

// add2 adds a finding with the lock held or not.
func (c *Checker) add2(f Finding, lock bool) {
	if lock {
		c.Add(f)
		return
	}
	c.add(f)
}

func overwrites(in *ir.Instr) bool {
	return in.Op == ir.OpMbarrier && ir.MbarrierKind(in.Sub) == ir.MbarrierInit ||
		in.Op != ir.OpMbarrier && ir.AtomicOp(in.Sub) == ir.AtomExch
}

func bitsAt(set []uint64, at uint64, n int) uint64 {
	v := set[at/64] >> (at % 64)
	if r := at % 64; r != 0 && at/64+1 < uint64(len(set)) {
		v |= set[at/64+1] << (64 - r)
	}
	return v & (1<<n - 1)
}

func setBits(set []uint64, at uint64, n int) {
	v := uint64(1)<<n - 1
	set[at/64] |= v << (at % 64)
	if r := at % 64; r != 0 && at/64+1 < uint64(len(set)) {
		set[at/64+1] |= v >> (64 - r)
	}
}

// finding describes a defect of an access.
func (b *block) finding(tool Tools, kind Kind, a *engine.Access, lane int, at uint64) Finding {
	f := Finding{
		Tool: tool, Kind: kind, Kernel: b.launch.kernel, Addr: at, Size: a.Size, Space: "global",
		Place: Place{Block: b.at, Thread: threadOf(b.launch.l.Block, a.Warp, lane), Pos: a.In.Pos, Access: accessNames[a.Kind]},
	}
	if off := at - b.win.Shared; off < uint64(b.launch.l.SharedBytes) {
		f.Addr, f.Space = off, "shared"
	}
	return f
}

// at describes a defect of synchronisation.
func (b *block) syncFinding(kind Kind, in *ir.Instr, warp, lane int, detail string) {
	b.launch.checker.Add(Finding{
		Tool: Synccheck, Kind: kind, Kernel: b.launch.kernel, Detail: detail,
		Place: Place{Block: b.at, Thread: threadOf(b.launch.l.Block, warp, lane), Pos: in.Pos},
	})
}

// Fence releases what the warp did so far to who reads what it stores behind the fence.
func (b *block) Fence(warp int, _ uint32) {
	if b.launch.races == nil {
		return
	}
	w := &b.warps[warp]
	w.fence = w.vc.with(b.index, warp, w.time)
	w.time = b.launch.races.tick()
}

// WarpSync orders the lanes that meet.
func (b *block) WarpSync(warp int, mask uint32) {
	if b.launch.races != nil {
		b.warps[warp].meet(mask)
	}
}

// Members checks member masks.
func (b *block) Members(in *ir.Instr, warp int, mask, live uint32, named *[engine.WarpSize]uint64, alone bool) {
	if b.launch.tools&Synccheck == 0 {
		return
	}
	for m := mask; m != 0; m &= m - 1 {
		lane := lowest(m)
		members := uint32(named[lane])
		switch {
		case members>>lane&1 == 0:
			b.syncFinding(WrongMask, in, warp, lane, fmt.Sprintf("the member mask %#x does not name lane %d, which executes it", members, lane))
			return
		case alone && members&live&^mask != 0:
			b.syncFinding(WrongMask, in, warp, lane, fmt.Sprintf("the member mask %#x names lane %d, which does not come",
				members, lowest(members&live&^mask)))
			return
		}
	}
}

// Arrive notes who comes to a barrier.
func (b *block) Arrive(in *ir.Instr, warp int, mask, live uint32, id int) {
	b.bars[id] = append(b.bars[id], arrival{in: in, warp: warp, mask: mask, whole: mask == live})
}

// Complete checks that warps came as a whole, and orders what was before the barrier and what is behind it. Lanes that have
// ended since their warp came need not come.
func (b *block) Complete(id int, all bool, live func(int) uint32) {
	list := b.bars[id]
	if b.launch.tools&Synccheck != 0 {
		for _, a := range list {
			if missing := live(a.warp) &^ a.mask; !a.whole && missing != 0 && a.in.Flags&ir.Aligned != 0 {
				b.divergent(a, live(a.warp), missing)
			}
		}
	}
	if b.launch.races != nil {
		b.pass(list, all)
	}
	b.bars[id] = list[:0]
}

func (b *block) divergent(a arrival, live, missing uint32) {
	t := threadOf(b.launch.l.Block, a.warp, lowest(missing))
	b.syncFinding(DivergentBarrier, a.in, a.warp, lowest(a.mask), fmt.Sprintf("%d of %d threads of the warp came; thread (%d,%d,%d) did not",
		bits.OnesCount32(a.mask), bits.OnesCount32(live), t[0], t[1], t[2]))
}

func (b *block) pass(list []arrival, all bool) {
	r := b.launch.races
	var vc *vclock
	for _, a := range list {
		vc = join(vc, b.warps[a.warp].vc)
	}
	if all {
		vc = vc.with(b.index, -1, r.tick())
	} else {
		for _, a := range list {
			vc = vc.with(b.index, a.warp, b.warps[a.warp].time)
		}
	}
	for _, a := range list {
		w := &b.warps[a.warp]
		if ir.BarKind(a.in.Sub) != ir.BarArrive {
			w.vc = vc
			w.meet(a.mask)
		}
		w.time = r.tick()
	}
}

// PassGrid: everything that any block did has happened before.
func (b *block) PassGrid() {
	r := b.launch.races
	if r == nil {
		return
	}
	vc := &vclock{floor: r.tick()}
	for i := range b.warps {
		b.warps[i].vc, b.warps[i].time = vc, r.tick()
		b.warps[i].meet(^uint32(0))
	}
}

// Heap notes what lives on the device heap.
func (b *block) Heap(in *ir.Instr, warp, lane int, addr, size uint64) {
	c := b.launch.checker
	c.mu.Lock()
	defer c.mu.Unlock()
	if size == 0 {
		delete(c.heap, addr)
		c.init.forget(addr)
		return
	}
	c.heap[addr] = &heapBlock{kernel: b.launch.kernel, size: size,
		place: Place{Block: b.at, Thread: threadOf(b.launch.l.Block, warp, lane), Pos: in.Pos}}
	c.init.track(addr, size)
}
