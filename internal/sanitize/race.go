package sanitize

import (
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// slot is one access to a word of four bytes: the record, the lane, and which bytes. Zero is none.
type slot uint32

const (
	slotLane = 4 // bits 0..3 are bytes
	slotRec  = 9
	maxRecs  = 1<<(32-slotRec) - 1
)

func newSlot(rec uint32, lane int, bytes uint32) slot {
	return slot(rec<<slotRec | uint32(lane)<<slotLane | bytes)
}

func (s slot) rec() uint32   { return uint32(s) >> slotRec }
func (s slot) lane() int     { return int(s >> slotLane & 31) }
func (s slot) bytes() uint32 { return uint32(s) & 15 }

// cell is the shadow of one word.
type cell [3]slot

const cellBytes = 12

// pageWords is the number of words that have one page of cells.
const pageWords = 1024

type page [pageWords]cell

// sharedWords is the same for shared memory, of which a block has little and may use less.
const sharedWords = 128

type sharedPage [sharedWords]cell

// races is the state of racecheck for one launch. One goroutine runs the blocks of the launch, so nothing is locked.
type races struct {
	clock  uint32
	recs   records
	pages  map[uint64]*page // global memory, by address
	last   *page            // of the last look-up
	lastAt uint64
	// What shared memory needs is used again by the next block.
	sharedSpare []*sharedPage // zeroed
	sharedMade  int
}

func newRaces() *races {
	return &races{clock: 1, recs: newRecords(), pages: map[uint64]*page{}, lastAt: ^uint64(0)}
}

func (r *races) tick() uint32 { r.clock++; return r.clock }

// page returns the cells of global memory at an address.
func (r *races) page(base uint64) *page {
	if base == r.lastAt {
		return r.last
	}
	p := r.pages[base]
	if p == nil {
		p = new(page)
		r.pages[base] = p
	}
	r.last, r.lastAt = p, base
	return p
}

func (r *races) newSharedPage() *sharedPage {
	if n := len(r.sharedSpare); n > 0 {
		p := r.sharedSpare[n-1]
		r.sharedSpare = r.sharedSpare[:n-1]
		return p
	}
	r.sharedMade++
	return new(sharedPage)
}

// drop clears a page of shared memory and keeps it for another block.
func (r *races) drop(p *sharedPage) {
	for i := range p {
		for _, s := range p[i] {
			r.unref(s)
		}
	}
	*p = sharedPage{}
	r.sharedSpare = append(r.sharedSpare, p)
}

func (r *races) unref(s slot) {
	if s != 0 {
		r.recs.unref(s.rec())
	}
}

// bytes is the largest size that the shadow has had.
func (r *races) bytes() uint64 {
	return (uint64(len(r.pages))*pageWords+uint64(r.sharedMade)*sharedWords)*cellBytes + r.recs.bytes()
}

// raceWarp is what racecheck knows of a warp.
type raceWarp struct {
	vc    *vclock
	fence *vclock // what was released by the last fence, nil if nothing happened since that needs one
	time  uint32
	step  uint32 // instructions that access memory or synchronise
	// met is the last step at which a lane met others, and with whom.
	met     [engine.WarpSize]uint32
	metWith [engine.WarpSize]uint32
	anyMet  uint32
	// known[b][a] is the step up to which lane b knows what lane a did; nil as long as lanes do not take turns.
	known  *[engine.WarpSize][engine.WarpSize]uint32
	recent map[*ir.Instr]uint32
}

// meet notes that lanes of a warp have met.
func (w *raceWarp) meet(mask uint32) {
	w.step++
	w.anyMet = w.step
	for lane := range w.met {
		if mask>>lane&1 != 0 {
			w.met[lane], w.metWith[lane] = w.step, mask
		}
	}
}

// access checks an access and notes it.
func (b *block) raceAccess(a *engine.Access, shared bool) {
	w := &b.warps[a.Warp]
	w.step++
	strong := a.Kind == engine.Update || a.In.Order != ir.Weak || b.launch.guesses[a.In]
	acquires := strong && a.Kind != engine.Write
	if acquires {
		b.acquire(a, w, shared)
	}
	var rel *vclock
	if a.Kind == engine.Update {
		rel = w.vc.with(b.index, a.Warp, w.time)
	} else if strong && a.Kind == engine.Write && w.fence != nil {
		rel = w.fence
	}
	id := b.record(a, w, strong, rel)
	if id == 0 {
		return
	}
	for m := a.Mask; m != 0; m &= m - 1 {
		b.touch(a, w, id, lowest(m), shared)
	}
	if a.Kind != engine.Read {
		b.launch.races.recs.unref(id)
	}
	if rel != nil {
		w.time = b.launch.races.tick()
	}
}

// acquire takes in what was released at the words of an access.
func (b *block) acquire(a *engine.Access, w *raceWarp, shared bool) {
	r := b.launch.races
	for m := a.Mask; m != 0; m &= m - 1 {
		lane := lowest(m)
		for at := a.Place[lane] &^ 3; at < a.Place[lane]+uint64(a.Size); at += 4 {
			c := b.cell(at, shared)
			for _, s := range c {
				if s == 0 {
					continue
				}
				rel := r.recs.released(s.rec())
				if rel == nil {
					continue
				}
				if rec := r.recs.at(s.rec()); rec.by(b.index, a.Warp) {
					w.learn(lane, s.lane(), rec.step)
					continue
				}
				w.vc = join(w.vc, rel)
			}
		}
	}
}

// learn: what lane from did up to a step has happened before what lane to does from now on.
func (w *raceWarp) learn(to, from int, step uint32) {
	if to == from {
		return
	}
	if w.known == nil {
		w.known = new([engine.WarpSize][engine.WarpSize]uint32)
	}
	k := &w.known[to]
	k[from] = max(k[from], step)
	for i, t := range w.known[from] {
		k[i] = max(k[i], t)
	}
}

// record makes the record of an access, with a reference for the caller. Reads share one as long as nothing orders them
// differently; its reference is that of recent. It returns 0 if there are too many.
func (b *block) record(a *engine.Access, w *raceWarp, strong bool, rel *vclock) uint32 {
	r := b.launch.races
	if a.Kind == engine.Read {
		if id := w.recent[a.In]; id != 0 {
			if rec := r.recs.at(id); rec.time == w.time && rec.mask == a.Mask && rec.step >= w.anyMet {
				return id
			}
			r.recs.unref(id)
			delete(w.recent, a.In)
		}
	}
	id := r.recs.add(a.In, b.index, a.Warp, a.Kind != engine.Read, strong)
	if id == 0 {
		return 0
	}
	if a.Kind == engine.Read {
		w.recent[a.In] = id
	}
	rec := r.recs.at(id)
	rec.mask, rec.time, rec.step = a.Mask, w.time, w.step
	if rel != nil {
		r.recs.release(id, rel)
	}
	return id
}

// cell returns the shadow of the word at an address.
func (b *block) cell(at uint64, shared bool) *cell {
	r := b.launch.races
	if shared {
		word := (at - b.win.Shared) / 4
		p := &b.shared[word/sharedWords]
		if *p == nil {
			*p = r.newSharedPage()
		}
		return &(*p)[word%sharedWords]
	}
	return &r.page(at &^ (4*pageWords - 1))[at%(4*pageWords)/4]
}

// touch checks and notes one lane's access, word by word.
func (b *block) touch(a *engine.Access, w *raceWarp, id uint32, lane int, shared bool) {
	begin, end := a.Place[lane], a.Place[lane]+uint64(a.Size)
	for at := begin &^ 3; at < end; at += 4 {
		bytes := uint32(15)
		if at < begin {
			bytes &= 15 << (begin - at)
		}
		if at+4 > end {
			bytes &= 15 >> (at + 4 - end)
		}
		b.word(a, w, b.cell(at, shared), at, newSlot(id, lane, bytes))
	}
}

// word checks an access to one word against those before it, and puts it in the place of what it makes superfluous.
func (b *block) word(a *engine.Access, w *raceWarp, c *cell, at uint64, s slot) {
	r := b.launch.races
	rec := r.recs.at(s.rec())
	free := -1
	for i, old := range c {
		if old == 0 {
			if free < 0 {
				free = i
			}
			continue
		}
		was := r.recs.at(old.rec())
		order := b.order(a.Warp, w, rec, s.lane(), was, old.lane())
		if order < ordered && old.bytes()&s.bytes() != 0 && (rec.write() || was.write()) && !(rec.strong() && was.strong()) &&
			!(rec.write() && was.write() && a.Same>>s.lane()&1 != 0) {
			b.race(a, at, s, rec, was, old, order)
		}
		superfluous := old.bytes()&^s.bytes() == 0 && (rec.write() || !was.write())
		if superfluous && (order >= ordered || rec.strong() && was.strong() && r.recs.released(s.rec()) != nil) ||
			old == s { // the same instruction again
			r.unref(old)
			c[i] = 0
			if free < 0 || i < free {
				free = i
			}
		}
	}
	if free < 0 {
		if free = b.evict(c, rec, s); free < 0 {
			return
		}
		r.unref(c[free])
	}
	rec.refs++
	c[free] = s
}

// evict chooses what a full cell forgets: of reads, one by the warp that reads now, else the last; a write makes room for
// another. A read that would only repeat what the cell says of this instruction is not noted: -1.
func (b *block) evict(c *cell, rec *record, s slot) int {
	r := b.launch.races
	read := -1
	for i, old := range c {
		was := r.recs.at(old.rec())
		if was.write() {
			continue
		}
		if !rec.write() && old.rec() == s.rec() {
			return -1
		}
		if read < 0 || was.sameWarp(rec) {
			read = i
		}
	}
	if read < 0 {
		return len(c) - 1
	}
	return read
}

// The ways in which two accesses may be ordered.
type ordering uint8

const (
	unordered ordering = iota
	lockstep           // only because the lanes executed together
	ordered
	sameThread
)

// order says whether what was done before has happened before what is done now, by a warp of this block.
func (b *block) order(warp int, w *raceWarp, now *record, lane int, was *record, other int) ordering {
	if !was.by(b.index, warp) {
		if was.time <= w.vc.at(was.block(), was.warp()) {
			return ordered
		}
		return unordered
	}
	if lane == other {
		return sameThread
	}
	if was.step < w.met[lane] && w.metWith[lane]>>other&1 != 0 || was.step < w.met[other] && w.metWith[other]>>lane&1 != 0 {
		return ordered
	}
	if w.known != nil && was.step <= w.known[lane][other] {
		return ordered
	}
	if was.mask>>lane&1 != 0 || now.mask>>other&1 != 0 {
		return lockstep
	}
	return unordered
}

// race notes a finding.
func (b *block) race(a *engine.Access, at uint64, s slot, rec, was *record, old slot, order ordering) {
	kind := WriteAfterWrite
	switch {
	case !rec.write():
		kind = ReadAfterWrite
	case !was.write():
		kind = WriteAfterRead
	}
	if was == rec { // two lanes of one instruction
		order = unordered
	}
	detail := "nothing orders the two accesses"
	if order == lockstep {
		kind = Lockstep
		detail = "only the lockstep of the warp orders the two accesses: use __syncwarp, or volatile"
	}
	f := b.finding(Racecheck, kind, a, s.lane(), at)
	f.Detail = detail
	in := b.launch.races.recs.instr(was)
	f.Other = &Place{Block: b.launch.coordinate(was.block()), Thread: threadOf(b.launch.l.Block, was.warp(), old.lane()),
		Pos: in.Pos, Access: accessOf(in)}
	b.launch.checker.Add(f)
}

// accessOf names what an instruction does to memory.
func accessOf(in *ir.Instr) string {
	switch in.Op {
	case ir.OpLoad:
		return "read"
	case ir.OpStore:
		return "write"
	}
	return "atomic"
}
