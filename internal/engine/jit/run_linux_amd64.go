package jit

import (
	"encoding/binary"
	"math/bits"
	"runtime"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// running is a block in execution. Blocks are used again.
type running struct {
	program *program
	launch  *engine.Launch
	index   uint64
	windows engine.Windows
	warps   []*warp
	area    []byte
	cache   mem.Cache
	// generation is that of the memory when the area's knowledge of it was last dropped.
	generation uint64
	// shared tells that accesses know of the shared memory of the block before, of sharedBytes bytes.
	shared      bool
	sharedBytes int
	next        int
	alive       int // warps that have not ended
	waiting     int // of those, warps at the barrier
	budget      int
	// other goes on in place of this block, if it is not nil.
	other engine.Block
}

// warp is a warp in execution.
type warp struct {
	ops.Warp
	frame []byte
	state state
	site  *site
	pc    int // of the instruction at which the lanes that execute stand
	stuck int // polls in a row at which lanes waited for others
	tids  [3]uint32

	args, results     [16]*ops.Lanes
	argsIn, resultsIn [16]ops.Lanes
}

type state uint8

const (
	fresh state = iota // has not begun
	stopped
	atBarrier
	ended
)

const (
	// backEdges is after how many back edges other warps get a turn.
	backEdges = 1024
	// edgeCost and enterCost are what a back edge, and a turn, count in warp instructions.
	edgeCost, enterCost = 16, 32
	// patience is how many times backEdges back edges lanes of a warp may wait for others before the reference engine goes
	// on, which lets them overtake; spinPatience holds for kernels whose loops may wait for other threads.
	patience, spinPatience = 4096, 8
)

func aligned(n int) []byte {
	b := make([]byte, n+63)
	return b[-mem.AddressOf(b)&63:][:n:n]
}

// Block prepares block i of a launch.
func (p *program) Block(l *engine.Launch, i uint64, win engine.Windows) engine.Block {
	b := p.pool.Get().(*running)
	if b.area == nil {
		b.area = aligned(len(p.area))
		copy(b.area, p.area)
		if p.options.Memory != nil {
			b.cache = mem.NewCache(p.options.Memory)
		}
	}
	if b.shared && (b.windows != win || b.sharedBytes != l.SharedBytes) {
		b.forget()
	}
	b.sharedBytes = l.SharedBytes
	b.launch, b.index, b.windows, b.next, b.waiting, b.other = l, i, win, 0, 0, nil
	b.specials(win)
	gx, gy := uint64(l.Grid[0]), uint64(l.Grid[1])
	at := [3]uint32{uint32(i % gx), uint32(i / gx % gy), uint32(i / gx / gy)}
	threads := int(l.Block[0] * l.Block[1] * l.Block[2])
	b.alive = (threads + engine.WarpSize - 1) / engine.WarpSize
	for len(b.warps) < b.alive {
		b.warps = append(b.warps, &warp{frame: aligned(p.frame)})
	}
	for id, w := range b.warps[:b.alive] {
		w.Memory, w.Cache, w.Globals = p.options.Memory, &b.cache, p.options.Globals
		w.Launch, w.Windows, w.LocalBytes = l, win, uint64(p.LocalBytes())
		w.Block, w.ID = at, id
		w.state, w.site, w.stuck = fresh, nil, 0
		live := uint32(1<<min(engine.WarpSize, threads-id*engine.WarpSize) - 1)
		binary.LittleEndian.PutUint32(w.frame[frameLive:], live)
		clear(w.frame[framePend:][:4*len(p.plan.f.Blocks)])
		if w.tids != l.Block {
			w.number()
		}
	}
	return b
}

// number writes the thread indices of the warp's lanes to its frame.
func (w *warp) number() {
	w.tids = w.Launch.Block
	binary.LittleEndian.PutUint64(w.frame[frameWarpID:], uint64(w.ID))
	for l := range engine.WarpSize {
		for axis, t := range w.Thread(l) {
			binary.LittleEndian.PutUint32(w.frame[frameTids+128*axis+4*l:], t)
			if l == 0 {
				binary.LittleEndian.PutUint64(w.frame[frameTid+8*axis:], uint64(t))
			}
		}
	}
}

// specials writes the area's part that belongs to the block.
func (b *running) specials(win engine.Windows) {
	l := b.launch
	put := func(at int32, v uint64) { binary.LittleEndian.PutUint64(b.area[at:], v) }
	put(areaShared, win.Shared)
	put(areaSharedBytes, uint64(l.SharedBytes))
	gx, gy := uint64(l.Grid[0]), uint64(l.Grid[1])
	threads := uint64(l.Block[0]) * uint64(l.Block[1]) * uint64(l.Block[2])
	for i, v := range [...]uint64{
		uint64(l.Block[0]), uint64(l.Block[1]), uint64(l.Block[2]),
		b.index % gx, b.index / gx % gy, b.index / gx / gy,
		uint64(l.Grid[0]), uint64(l.Grid[1]), uint64(l.Grid[2]),
		(threads + engine.WarpSize - 1) / engine.WarpSize, uint64(win.Worker), uint64(l.Workers), l.ID,
		uint64(l.DynamicBytes), uint64(l.SharedBytes),
	} {
		put(areaSpecials+8*int32(i), v)
	}
	copy(b.area[areaParams:][:b.program.kernel.Params], l.Params)
	for n, at := range b.program.limits {
		put(at, uint64(max(0, int64(l.SharedBytes)-n+1)))
	}
}

// forget drops what accesses know of memory.
func (b *running) forget() {
	if m := b.program.options.Memory; m != nil {
		b.generation = m.Generation()
	}
	b.shared = false
	for _, at := range b.program.known {
		clear(b.area[at:][:16])
	}
}

// Close gives the block back.
func (b *running) Close() {
	if b.other != nil {
		b.other.Close()
		b.other = nil
	}
	b.program.pool.Put(b)
}

// Run goes on for about budget warp instructions.
func (b *running) Run(budget int) (engine.State, *engine.Fault) {
	if b.other != nil {
		return b.other.Run(budget)
	}
	b.budget = budget
	n := len(b.warps)
	if threads := int(b.launch.Block[0] * b.launch.Block[1] * b.launch.Block[2]); n > 0 {
		n = (threads + engine.WarpSize - 1) / engine.WarpSize
	}
	for b.alive > 0 {
		if b.waiting == b.alive {
			b.release(n)
		}
		w := b.warps[b.next]
		if w.state == ended || w.state == atBarrier {
			b.next = (b.next + 1) % n
			continue
		}
		if b.budget <= 0 {
			return engine.Yielded, nil
		}
		leave, fault := b.turn(w)
		if fault != nil {
			return 0, fault
		}
		if leave {
			if fault := b.leave(n); fault != nil {
				return 0, fault
			}
			return b.other.Run(max(b.budget, 1))
		}
		b.next = (b.next + 1) % n
	}
	return engine.Done, nil
}

// release lets all warps go on that wait at the barrier.
func (b *running) release(n int) {
	b.waiting = 0
	for _, w := range b.warps[:n] {
		if w.state == atBarrier {
			w.state = stopped
			w.pc++
		}
	}
}

func (w *warp) word(at int32) uint32 { return binary.LittleEndian.Uint32(w.frame[at:]) }

// current is the lanes that execute, after compiled code has returned.
func (w *warp) current() uint32 {
	return uint32(binary.LittleEndian.Uint16(w.frame[frameMasks+8:])) | uint32(binary.LittleEndian.Uint16(w.frame[frameMasks+16:]))<<16
}

// turn runs a warp until it ends, waits, or has taken many back edges. leave says that the block has to go on in the
// reference engine.
func (b *running) turn(w *warp) (leave bool, fault *engine.Fault) {
	p := b.program
	edges := max(1, min(backEdges, b.budget/edgeCost))
	binary.LittleEndian.PutUint32(w.frame[frameEdges:], uint32(edges-1))
	b.budget -= enterCost
	for {
		if m := p.options.Memory; m != nil && m.Generation() != b.generation {
			b.forget()
		}
		at := p.code.base
		if w.state == stopped {
			at += p.resume
		}
		more := call(at, mem.AddressOf(w.frame), mem.AddressOf(b.area))
		runtime.KeepAlive(p.code)
		if more == 0 {
			w.state = ended
			b.alive--
			b.budget -= (edges - 1 - int(int32(w.word(frameEdges)))) * edgeCost
			return false, nil
		}
		w.state = stopped
		w.site = &p.sites[w.word(frameSite)]
		w.pc = w.site.pc
		switch w.site.kind {
		case sitePoll:
			b.budget -= edges * edgeCost
			return b.waitsTooLong(w), nil
		case siteBarrier:
			if w.current() != w.word(frameLive) || b.oddBarrier(w) {
				return true, nil
			}
			w.state = atBarrier
			b.waiting++
			b.budget -= (edges - 1 - int(int32(w.word(frameEdges)))) * edgeCost
			return false, nil
		case siteLeave:
			return true, nil
		case siteAccess:
			b.budget -= enterCost
			if b.learn(w) {
				binary.LittleEndian.PutUint64(w.frame[frameResume:], p.code.base+uint64(p.retries[w.word(frameSite)]))
				continue
			}
			if fault := b.execute(w); fault != nil {
				return false, fault
			}
		case siteEscape:
			b.budget -= enterCost
			if w.site.member >= 0 && b.missing(w) {
				return true, nil
			}
			if fault := b.execute(w); fault != nil {
				return false, fault
			}
		}
	}
}

// oddBarrier tells that warps wait at different barriers, which the reference engine sorts out.
func (b *running) oddBarrier(w *warp) bool {
	id := func(w *warp) uint64 {
		var l ops.Lanes
		b.read(w, w.site.in.Args[0], &l)
		first := l[bits.TrailingZeros32(w.current())]
		for m := w.current(); m != 0; m &= m - 1 {
			if l[bits.TrailingZeros32(m)] != first {
				return ^uint64(0)
			}
		}
		return first
	}
	mine := id(w)
	if mine >= 16 {
		return true
	}
	for _, o := range b.warps {
		if o != w && o.state == atBarrier {
			return id(o) != mine
		}
	}
	return false
}

// waitsTooLong counts polls at which lanes wait while others go round in a loop.
func (b *running) waitsTooLong(w *warp) bool {
	for i := range b.program.plan.f.Blocks {
		if w.word(framePend+int32(4*i)) != 0 {
			w.stuck++
			return w.stuck >= patience || b.program.plan.spins && w.stuck >= spinPatience
		}
	}
	w.stuck = 0
	return false
}

// missing tells that lanes which the member mask names have not come.
func (b *running) missing(w *warp) bool {
	var named ops.Lanes
	b.read(w, w.site.in.Args[w.site.member], &named)
	var members uint32
	for m := b.guarded(w); m != 0; m &= m - 1 {
		members |= uint32(named[bits.TrailingZeros32(m)])
	}
	return members&w.word(frameLive)&^w.current() != 0
}

// guarded is the lanes that execute the instruction at which the warp stands.
func (b *running) guarded(w *warp) uint32 {
	cur := w.current()
	if w.site.in.Guard == nil {
		return cur
	}
	var g ops.Lanes
	b.read(w, w.site.in.Guard, &g)
	for l, v := range g {
		if v&1 == 0 {
			cur &^= 1 << l
		}
	}
	return cur
}

// execute does the instruction at which the warp stands.
func (b *running) execute(w *warp) *engine.Fault {
	in := w.site.in
	cur, mask := w.current(), b.guarded(w)
	args, results := w.args[:len(in.Args)], w.results[:len(in.Results)]
	for i, v := range in.Args {
		args[i] = &w.argsIn[i]
		b.read(w, v, args[i])
	}
	for i := range in.Results {
		results[i] = &w.resultsIn[i]
		if cur != mask {
			*results[i] = ops.Lanes{}
		}
	}
	b.program.escaped.Add(uint64(bits.OnesCount32(mask)))
	if fault := w.site.run(&w.Warp, mask, args, results); fault != nil {
		return fault
	}
	for i, v := range in.Results {
		b.write(w, v, results[i], cur)
	}
	return nil
}

// learn looks up the region of an access that the fast check did not approve, and reports whether it will now.
func (b *running) learn(w *warp) bool {
	s := w.site
	if s.access < 0 || b.program.options.Memory == nil {
		return false
	}
	var addr ops.Lanes
	b.read(w, s.in.Args[0], &addr)
	mask := b.guarded(w)
	if mask == 0 {
		return false
	}
	for l := range addr {
		addr[l] += s.in.Imm
	}
	lo, n, ok := b.region(s.in, addr[bits.TrailingZeros32(mask)])
	if !ok {
		return false
	}
	span := uint64(s.size)
	first, reach := addr[0]+uint64(s.least), uint64(s.most-s.least)+span
	if b.program.plan.vals[s.in.Args[0].ID].class == vector {
		for m := mask; m != 0; m &= m - 1 {
			a := addr[bits.TrailingZeros32(m)]
			if a&(span-1) != 0 || a < lo || a-lo >= n || n-(a-lo) < span {
				return false
			}
		}
		reach = span
	} else if first&(span-1) != 0 || first < lo || first-lo >= n || n-(first-lo) < reach {
		return false
	}
	binary.LittleEndian.PutUint64(b.area[s.access:], lo)
	binary.LittleEndian.PutUint64(b.area[s.access+8:], n-reach+1)
	return true
}

// region is the legal bytes around an address.
func (b *running) region(in *ir.Instr, addr uint64) (lo, n uint64, ok bool) {
	if r, ok := b.program.options.Memory.Find(addr); ok {
		return r.Addr, r.Size, true
	}
	if shared := uint64(b.launch.SharedBytes); in.Space == ir.SpaceGeneric && addr-b.windows.Shared < shared {
		b.shared = true
		return b.windows.Shared, shared, true
	}
	return 0, 0, false
}

// leave hands the block to the reference engine.
func (b *running) leave(n int) *engine.Fault {
	p := b.program
	warps := make([]interp.Warp, n)
	for i, w := range b.warps[:n] {
		if w.state == ended {
			continue
		}
		s := &warps[i]
		s.Live = w.word(frameLive)
		s.Values = make([]ops.Lanes, p.plan.f.Values)
		if w.state == fresh {
			s.Groups = []interp.Group{{Mask: s.Live}}
			continue
		}
		s.Groups = []interp.Group{{Mask: w.current(), Block: w.site.block, Instr: w.pc}}
		for k := range p.plan.f.Blocks {
			if m := w.word(framePend + int32(4*k)); m != 0 {
				s.Groups = append(s.Groups, interp.Group{Mask: m, Block: k})
			}
		}
		for id := range p.plan.vals {
			if v := p.plan.vals[id].v; v != nil {
				b.read(w, v, &s.Values[id])
			}
		}
	}
	other, err := interp.Resume(p.reference, b.launch, b.index, b.windows, warps)
	if err != nil {
		return &engine.Fault{Code: 719, Block: b.warps[0].Block, Detail: err.Error()}
	}
	b.other = other
	return nil
}
