//go:build linux && (amd64 || arm64)

package jit

import (
	"encoding/binary"
	"math/bits"
	"runtime"
	"runtime/debug"

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
	warps   []warp
	frames  []byte
	area    []byte
	cache   mem.Cache
	extent  [3]uint32 // of the block for which the frames were made
	// generation is that of the memory when the area's knowledge of it was last dropped.
	generation uint64
	// shared tells that accesses know of the shared memory of the block before, of sharedBytes bytes.
	shared      bool
	sharedBytes int
	stopped     int // the warp at which compiled code returned last
	stride      int // of local memory, for which the area has the offsets of lanes
	next        int
	budget      int
	more        uint64 // blocks that follow, and are to be run as well
	// prepared and launchID are the launch whose numbers the area holds.
	prepared *engine.Launch
	launchID uint64
	// Operands of the operation that is executed in Go.
	args, results     [16]*ops.Lanes
	argsIn, resultsIn [16]ops.Lanes
	waited            bool // some warp was stuck
	dirty             bool // lanes may wait in the frames of a block that did not end
	// other goes on in place of this block, if it is not nil; cover counts what it executes, if that is asked for.
	other engine.Block
	cover *engine.Coverage
}

// warp is what Go needs of a warp when compiled code has returned.
type warp struct {
	ops.Warp
	frame []byte
	site  *site
	pc    int // of the instruction at which the lanes that execute stand
	stuck int // polls in a row at which lanes waited for others
}

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

var le = binary.LittleEndian

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
	b.launch, b.index, b.windows, b.more, b.other, b.sharedBytes = l, i, win, 0, nil, l.SharedBytes
	if b.extent != l.Block {
		b.layOut()
	}
	b.begin()
	return b
}

// begin makes the block with the number that is set ready to run.
func (b *running) begin() {
	p := b.program
	b.next = 0
	b.specials()
	for at := 0; at < len(b.frames); at += p.frame {
		le.PutUint64(b.frames[at+frameEntry:], p.code.base)
		le.PutUint32(b.frames[at+frameState:], stateRuns)
	}
	if b.dirty {
		b.clean()
	}
	b.dirty = true
	le.PutUint64(b.area[areaEnd:], le.Uint64(b.area[areaFrames:]))
	le.PutUint32(b.area[areaLeft:], uint32(len(b.warps)))
	le.PutUint32(b.area[areaAlive:], uint32(len(b.warps)))
}

// Extend adds the next blocks of the grid.
func (b *running) Extend(n uint64) { b.more = n }

// Rest takes back those that have not begun.
func (b *running) Rest() uint64 {
	n := b.more
	b.more = 0
	return n
}

// follow begins the next block, from which Go goes on; others of its row compiled code may begin.
func (b *running) follow() {
	b.more--
	b.index++
	if n := b.launch.SharedBytes; n > 0 {
		mem.Fill(b.windows.Shared, uint64(n), 0)
	}
	b.begin()
}

// offer tells compiled code how many blocks it may begin by itself, and reports that number.
func (b *running) offer() uint32 {
	if b.more == 0 || !b.program.chains {
		le.PutUint32(b.area[areaMore:], 0)
		return 0
	}
	x := le.Uint64(b.area[areaCtaid:])
	n := uint32(min(b.more, uint64(b.launch.Grid[0])-1-x))
	le.PutUint32(b.area[areaMore:], n)
	return n
}

// taken counts the blocks that compiled code has begun of those offered.
func (b *running) taken(offered uint32) {
	n := uint64(offered - le.Uint32(b.area[areaMore:]))
	b.index += n
	b.more -= n
}

// clean forgets what a block left behind that did not end.
func (b *running) clean() {
	for k := range b.warps {
		w := &b.warps[k]
		w.stuck = 0
		clear(w.frame[framePend:][:4*len(b.program.plan.f.Blocks)])
	}
}

// layOut makes the frames for blocks of the launch's extent.
func (b *running) layOut() {
	p, l := b.program, b.launch
	threads := int(l.Block[0] * l.Block[1] * l.Block[2])
	n := (threads + engine.WarpSize - 1) / engine.WarpSize
	b.extent, b.frames, b.warps, b.dirty = l.Block, aligned(n*p.frame), make([]warp, n), false
	le.PutUint32(b.area[areaWarps:], uint32(n))
	for id := range b.warps {
		w := &b.warps[id]
		w.frame = b.frames[id*p.frame:][:p.frame:p.frame]
		w.Launch, w.ID = l, id
		w.number()
		le.PutUint32(w.frame[frameAll:], uint32(1<<min(engine.WarpSize, threads-id*engine.WarpSize)-1))
	}
	le.PutUint64(b.area[areaFirst:], mem.AddressOf(b.frames))
	le.PutUint64(b.area[areaFrames:], mem.AddressOf(b.frames)+uint64(len(b.frames)))
}

// number writes the thread indices of the warp's lanes to its frame.
func (w *warp) number() {
	le.PutUint64(w.frame[frameWarpID:], uint64(w.ID))
	for l := range engine.WarpSize {
		for axis, t := range w.Thread(l) {
			le.PutUint32(w.frame[frameTids+128*axis+4*l:], t)
			if l == 0 {
				le.PutUint64(w.frame[frameTid+8*axis:], uint64(t))
			}
		}
	}
}

// coordinate is the place of block i in the grid.
func coordinate(l *engine.Launch, i uint64) [3]uint32 {
	if i < uint64(l.Grid[0]) {
		return [3]uint32{uint32(i), 0, 0}
	}
	row := i / uint64(l.Grid[0])
	x := uint32(i - row*uint64(l.Grid[0]))
	if row < uint64(l.Grid[1]) {
		return [3]uint32{x, uint32(row), 0}
	}
	return [3]uint32{x, uint32(row % uint64(l.Grid[1])), uint32(row / uint64(l.Grid[1]))}
}

// specials writes the area's part that belongs to the launch and the block.
func (b *running) specials() {
	l, win := b.launch, b.windows
	put := func(at int32, v uint64) { le.PutUint64(b.area[at:], v) }
	at := coordinate(l, b.index)
	put(areaCtaid, uint64(at[0]))
	put(areaCtaid+8, uint64(at[1]))
	put(areaCtaid+16, uint64(at[2]))
	put(areaShared, win.Shared)
	put(areaWorker, uint64(win.Worker))
	put(areaLocal, win.Local)
	if b.program.strides > 0 && b.stride != win.LocalStride {
		b.stride = win.LocalStride
		put(areaLocalStep, uint64(win.LocalStride))
		for l := range engine.WarpSize {
			le.PutUint32(b.area[int(b.program.strides)+4*l:], uint32(l*win.LocalStride))
		}
	}
	if b.prepared == l && b.launchID == l.ID {
		return
	}
	b.prepared, b.launchID = l, l.ID
	put(areaSharedBytes, uint64(l.SharedBytes))
	for axis := range int32(3) {
		put(areaNtid+8*axis, uint64(l.Block[axis]))
		put(areaNctaid+8*axis, uint64(l.Grid[axis]))
	}
	put(areaNwarp, uint64(len(b.warps)))
	put(areaWorkers, uint64(l.Workers))
	put(areaGridID, l.ID)
	put(areaDynamic, uint64(l.DynamicBytes))
	put(areaTotal, uint64(l.SharedBytes))
	copy(b.area[areaParams:][:b.program.kernel.Params], l.Params)
	le.PutUint32(b.area[areaStream:], 0)
	if s := b.program.streams; s != nil && s.worthwhile(l, b.reach) {
		le.PutUint32(b.area[areaStream:], 1)
	}
	for n, at := range b.program.limits {
		put(at, n.of(int64(l.SharedBytes)))
	}
}

// reach is how many bytes are legal from an address on.
func (b *running) reach(at uint64) uint64 {
	if b.program.options.Memory == nil {
		return 0
	}
	r, ok := b.program.options.Memory.Find(at)
	if !ok {
		return 0
	}
	return r.Addr + r.Size - at
}

// forget drops what accesses know of memory.
func (b *running) forget() {
	if m := b.program.options.Memory; m != nil {
		b.generation = m.Generation()
	}
	b.shared = false
	for _, at := range b.program.known {
		clear(b.area[at:][:knownBytes])
	}
}

// Close gives the block back.
func (b *running) Close() {
	if b.other != nil {
		b.other.Close()
		b.other = nil
	}
	if b.program.options.Count {
		b.count()
	}
	b.program.pool.Put(b)
}

// count adds what the block has executed to what the program has.
func (b *running) count() {
	b.program.executed.Add(le.Uint64(b.area[areaExecuted:]))
	le.PutUint64(b.area[areaExecuted:], 0)
	if b.cover == nil {
		return
	}
	for _, block := range b.program.plan.f.Blocks {
		for _, in := range block.Instrs {
			b.program.given.Add(b.cover.Count(in))
		}
	}
	b.cover = nil
}

// Run goes on for about budget warp instructions.
func (b *running) Run(budget int) (state engine.State, fault *engine.Fault) {
	if b.other != nil {
		return b.other.Run(budget)
	}
	// Memory that the table has as legal may be out of reach all the same, such as a window whose owner took it away. Compiled
	// code is a leaf that never moves the stack pointer: then the runtime makes a panic of the signal, as it does for Go code.
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			state, fault = 0, b.unreachable(r)
		}
	}()
	b.budget = budget
	for {
		for le.Uint32(b.area[areaAlive:]) > 0 {
			i := b.choose()
			if b.budget <= 0 {
				return engine.Yielded, nil
			}
			leave, fault := b.turn(i)
			if fault != nil {
				return 0, fault
			}
			if leave {
				if fault := b.leave(); fault != nil {
					return 0, fault
				}
				return b.other.Run(max(b.budget, 1))
			}
		}
		b.dirty = b.waited
		b.waited = false
		if b.more == 0 || b.budget <= 0 {
			return engine.Done, nil
		}
		b.follow()
	}
}

// unreachable is the fault of an access that the machine refused; other panics go on.
func (b *running) unreachable(r any) *engine.Fault {
	e, ok := r.(interface{ Addr() uintptr })
	if !ok {
		panic(r)
	}
	return &engine.Fault{
		Code: 700, Block: coordinate(b.launch, b.index), Addr: uint64(e.Addr()), Space: "global",
		Detail: "legal memory that cannot be reached; the thread shown is the first of the block",
	}
}

// choose returns the warp whose turn it is. When all wait at the barrier, they pass it.
func (b *running) choose() int {
	n := len(b.warps)
	if le.Uint32(b.area[areaLeft:]) == 0 {
		le.PutUint32(b.area[areaLeft:], le.Uint32(b.area[areaAlive:]))
		b.next = 0
		for k := range b.warps {
			w := &b.warps[k]
			if w.word(frameState) == stateWaits {
				le.PutUint32(w.frame[frameState:], stateRuns)
				le.PutUint64(w.frame[frameEntry:], b.program.resume)
				if b.program.light { // there the warp restores what it needs itself
					le.PutUint64(w.frame[frameEntry:], le.Uint64(w.frame[frameResume:]))
				}
				w.pc++
			}
		}
	}
	for b.warps[b.next%n].word(frameState) != stateRuns {
		b.next++
	}
	return b.next % n
}

func (w *warp) word(at int32) uint32 { return le.Uint32(w.frame[at:]) }

// current is the lanes that execute, after compiled code has returned.
func (w *warp) current() uint32 {
	return uint32(le.Uint16(w.frame[frameMasks+8:])) | uint32(le.Uint16(w.frame[frameMasks+16:]))<<16
}

// turn runs warps from one on until all have had a turn or one stops for more than an operation. leave says that the
// block has to go on in the reference engine.
func (b *running) turn(i int) (leave bool, fault *engine.Fault) {
	p := b.program
	edges := max(1, min(backEdges, b.budget/edgeCost))
	le.PutUint32(b.area[areaEdges:], uint32(edges-1))
	b.budget -= enterCost
	defer func() { b.budget -= (edges - 1 - int(int32(le.Uint32(b.area[areaEdges:])))) * edgeCost }()
	for {
		if m := p.options.Memory; m != nil && m.Generation() != b.generation {
			b.forget()
		}
		frame, offered := mem.AddressOf(b.warps[i].frame), b.offer()
		stopped := call(le.Uint64(b.warps[i].frame[frameEntry:]), frame, mem.AddressOf(b.area))
		runtime.KeepAlive(p.code)
		b.taken(offered)
		if stopped == 0 {
			b.next = 0
			b.settle(len(b.warps))
			return false, nil
		}
		i = int(le.Uint64(b.area[areaCurrent:])-mem.AddressOf(b.frames)) / p.frame
		b.stopped = i
		b.settle(i)
		w := &b.warps[i]
		w.site = &p.sites[w.word(frameSite)]
		w.pc = w.site.pc
		b.next = i
		switch w.site.kind {
		case sitePoll:
			b.next++
			return b.waitsTooLong(w), nil
		case siteBarrier:
			if w.current() != w.word(frameLive) || b.oddBarrier(w) {
				return true, nil
			}
			le.PutUint32(w.frame[frameState:], stateWaits)
			le.PutUint64(w.frame[frameEntry:], p.next)
			le.PutUint32(b.area[areaLeft:], le.Uint32(b.area[areaLeft:])-1)
			b.next++
			return false, nil
		case siteLeave:
			w.pc = w.site.from
			return true, nil
		case siteRow:
			b.budget -= enterCost
			b.prepare(w)
			if b.learn(w) {
				le.PutUint64(w.frame[frameResume:], p.code.base+uint64(w.site.retry))
			} else {
				le.PutUint32(w.frame[frameSlow:], 1)
			}
		case sitePiece:
			b.budget -= enterCost
			b.prepare(w)
			if fault := b.executePiece(w); fault != nil {
				return false, fault
			}
		case siteGroup:
			if b.learnGroup(w) {
				le.PutUint64(w.frame[frameResume:], p.code.base+uint64(w.site.retry))
			}
		case siteAccess, siteEscape:
			b.budget -= enterCost
			b.prepare(w)
			if w.site.kind == siteAccess && b.learn(w) {
				le.PutUint64(w.frame[frameResume:], p.code.base+uint64(w.site.retry))
				continue
			}
			if w.site.member >= 0 && b.missing(w) {
				return true, nil
			}
			if fault := b.execute(w); fault != nil {
				if w.site.from < w.site.pc { // an instruction ahead of it may be at fault first
					w.pc = w.site.from
					return true, nil
				}
				return false, fault
			}
		}
	}
}

// settle makes sure of who waits at the barrier, when compiled code has returned at warp i. A warp that comes to the barrier
// notes where it will go on as its entry, since usually all others come there before its next turn. Of those that have,
// the warps before i wait, and those behind it have been let go on and had no turn since.
func (b *running) settle(i int) {
	if !b.program.light {
		return
	}
	for k := range b.warps {
		w := &b.warps[k]
		entry := le.Uint64(w.frame[frameEntry:])
		switch {
		case w.word(frameState) != stateWaits || entry == b.program.next:
		case k < i:
			le.PutUint64(w.frame[frameResume:], entry)
			le.PutUint64(w.frame[frameEntry:], b.program.next)
			le.PutUint32(b.area[areaParked:], 1)
		default:
			le.PutUint32(w.frame[frameState:], stateRuns)
		}
	}
}

// prepare fills in what operations in Go ask of the warp.
func (b *running) prepare(w *warp) {
	p, l := b.program, b.launch
	w.Memory, w.Cache, w.Globals = p.options.Memory, &b.cache, p.options.Globals
	w.Launch, w.Windows, w.LocalBytes = l, b.windows, uint64(p.LocalBytes())
	w.Block = coordinate(l, b.index)
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
	for k := range b.warps {
		if o := &b.warps[k]; o != w && o.word(frameState) == stateWaits {
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
			b.waited = true
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
	args, results := b.args[:len(in.Args)], b.results[:len(in.Results)]
	for i, v := range in.Args {
		args[i] = &b.argsIn[i]
		b.read(w, v, args[i])
	}
	for i := range in.Results {
		results[i] = &b.resultsIn[i]
		if cur != mask {
			*results[i] = ops.Lanes{}
		}
	}
	fault := w.site.run(&w.Warp, mask, args, results)
	if fault == nil || w.site.kind == siteEscape { // an access may fault that has code
		b.program.escapes[w.word(frameSite)].Add(uint64(bits.OnesCount32(mask)))
	}
	if fault != nil {
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
	if x := b.program.plan.indexOf(s.in); x != nil {
		return b.learnIndexed(w, x)
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
	within := func(at, size uint64) bool { return at&(span-1) == 0 && at >= lo && at-lo < n && n-(at-lo) >= size }
	each := true
	for m := mask; m != 0; m &= m - 1 {
		each = each && within(addr[bits.TrailingZeros32(m)], span)
	}
	first, reach := addr[0]+uint64(s.least), uint64(s.most-s.least)+span
	if b.program.plan.vals[s.in.Args[0].ID].class == vector {
		first, reach = addr[bits.TrailingZeros32(mask)], span
	}
	row := within(first, reach)
	if !each || !row && s.each < 0 {
		return false
	}
	rows := uint64(0)
	if n >= reach {
		rows = n - reach + 1
	}
	le.PutUint64(b.area[s.access:], lo)
	le.PutUint64(b.area[s.access+8:], rows)
	if s.each >= 0 {
		le.PutUint64(b.area[s.each:], n-span+1)
	}
	return true
}

// learnGroup looks up the region of accesses that are checked together, and reports whether it has all of them.
func (b *running) learnGroup(w *warp) bool {
	s := w.site
	if b.program.options.Memory == nil {
		return false
	}
	if x := b.program.plan.indexOf(s.in); x != nil {
		return b.learnIndexed(w, x)
	}
	var addr ops.Lanes
	b.read(w, s.in.Args[0], &addr)
	first, reach := addr[0]+uint64(s.least), uint64(s.size)
	lo, n, ok := b.region(s.in, addr[0]+s.in.Imm)
	if !ok || first < lo || first-lo >= n || n-(first-lo) < reach {
		return false
	}
	le.PutUint64(b.area[s.access:], lo)
	le.PutUint64(b.area[s.access+8:], n-reach+1)
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
func (b *running) leave() *engine.Fault {
	p := b.program
	warps := make([]interp.Warp, len(b.warps))
	for i := range b.warps {
		w, s := &b.warps[i], &warps[i]
		entry := le.Uint64(w.frame[frameEntry:])
		switch {
		case w.word(frameState) == stateEnded:
			continue
		case entry == p.code.base:
			s.Live = w.word(frameAll)
			s.Groups = []interp.Group{{Mask: s.Live}}
			continue
		}
		s.Live = w.word(frameLive)
		at := &p.sites[w.word(frameSite)]
		pc := w.pc
		if p.light && at.kind == siteBarrier {
			pc = at.pc
			if entry != p.next && entry != p.resume {
				pc++ // released, but not gone on yet
			}
		}
		cur := w.current()
		if p.light && at.kind == siteBarrier && i != b.stopped {
			cur = s.Live // who passes without Go comes with all lanes
		}
		s.Groups = []interp.Group{{Mask: cur, Block: at.block, Instr: pc}}
		for k := range p.plan.f.Blocks {
			if m := w.word(framePend + int32(4*k)); m != 0 {
				s.Groups = append(s.Groups, interp.Group{Mask: m, Block: k})
			}
		}
		s.Values = make([]ops.Lanes, p.plan.f.Values)
		for id := range p.plan.vals {
			if v := p.plan.vals[id].v; v != nil {
				b.read(w, v, &s.Values[id])
			}
		}
	}
	reference, err := p.reference()
	if err != nil {
		return &engine.Fault{Code: 719, Block: b.warps[0].Block, Detail: err.Error()}
	}
	launch := b.launch
	if p.options.Count {
		counted := *launch
		b.cover = &engine.Coverage{}
		counted.Cover, launch = b.cover, &counted
	}
	other, err := interp.Resume(reference, launch, b.index, b.windows, warps)
	if err != nil {
		return &engine.Fault{Code: 719, Block: b.warps[0].Block, Detail: err.Error()}
	}
	b.other = other
	return nil
}
