package sanitize

import "github.com/tandem-go/tandem/internal/ir"

// record is a warp instruction at a time: what all accesses by one execution of it have in common. Slots of the shadow
// refer to records, which are used again when no slot does.
type record struct {
	who  uint64 // block, warp, instruction, and what kind of access it is
	mask uint32 // lanes that executed together
	time uint32 // of the warp
	step uint32 // of the warp's own count of instructions
	refs uint32
}

// The parts of record.who. Blocks beyond 2^40 would be taken for others, but a launch does not live to see them; memory
// instructions beyond 2^16 of a kernel are not watched.
const (
	whoWrite  = 1 << 0
	whoStrong = 1 << 1 // strong accesses do not race with each other
	whoInstr  = 2      // 16 bits
	whoWarp   = 18     // 6 bits
	whoBlock  = 24
	instrMask = 1<<16 - 1
	warpMask  = 1<<6 - 1
)

func (r *record) write() bool   { return r.who&whoWrite != 0 }
func (r *record) strong() bool  { return r.who&whoStrong != 0 }
func (r *record) warp() int     { return int(r.who >> whoWarp & warpMask) }
func (r *record) block() uint64 { return r.who >> whoBlock }

// by reports whether a warp of a block made the record.
func (r *record) by(block uint64, warp int) bool {
	return r.who>>whoWarp == block<<(whoBlock-whoWarp)|uint64(warp)
}

// sameWarp reports whether one warp made both.
func (r *record) sameWarp(o *record) bool { return r.who>>whoWarp == o.who>>whoWarp }

// chunkRecords is how many records are made at a time.
const chunkRecords = 512

// chunk is some records and, once one of them needs it, what each released: what an access that synchronises lets others
// know, nil for the rest.
type chunk struct {
	recs [chunkRecords]record
	rel  *[chunkRecords]*vclock
}

// The sizes of what a chunk is made of.
const (
	recordBytes  = 24
	pointerBytes = 8
)

// records are all records of a launch by number; 0 is none.
type records struct {
	chunks  []*chunk
	free    []uint32
	next    uint32
	withRel int // chunks with rel
	numbers map[*ir.Instr]uint32
	instrs  []*ir.Instr
}

func newRecords() records {
	return records{next: 1, numbers: map[*ir.Instr]uint32{}}
}

func (t *records) at(id uint32) *record { return &t.chunks[id/chunkRecords].recs[id%chunkRecords] }

// add returns the number of a new record with one reference, which is the caller's; 0 if there are too many.
func (t *records) add(in *ir.Instr, block uint64, warp int, write, strong bool) uint32 {
	n, ok := t.numbers[in]
	if !ok {
		n = uint32(len(t.instrs))
		if n > instrMask {
			return 0
		}
		t.numbers[in] = n
		t.instrs = append(t.instrs, in)
	}
	id := t.next
	if k := len(t.free); k > 0 {
		id, t.free = t.free[k-1], t.free[:k-1]
	} else {
		if id > maxRecs {
			return 0
		}
		if int(id/chunkRecords) == len(t.chunks) {
			t.chunks = append(t.chunks, new(chunk))
		}
		t.next++
	}
	who := block<<whoBlock | uint64(warp)<<whoWarp | uint64(n)<<whoInstr
	if write {
		who |= whoWrite
	}
	if strong {
		who |= whoStrong
	}
	*t.at(id) = record{who: who, refs: 1}
	return id
}

// instr is the instruction of a record.
func (t *records) instr(r *record) *ir.Instr { return t.instrs[r.who>>whoInstr&instrMask] }

// release notes what the access of a record releases.
func (t *records) release(id uint32, v *vclock) {
	c := t.chunks[id/chunkRecords]
	if c.rel == nil {
		c.rel = new([chunkRecords]*vclock)
		t.withRel++
	}
	c.rel[id%chunkRecords] = v
}

// released is what the access of a record released, nil if it released nothing.
func (t *records) released(id uint32) *vclock {
	c := t.chunks[id/chunkRecords]
	if c.rel == nil {
		return nil
	}
	return c.rel[id%chunkRecords]
}

// unref gives back a reference. Nothing may refer to a record without references.
func (t *records) unref(id uint32) {
	rec := t.at(id)
	if rec.refs--; rec.refs > 0 {
		return
	}
	if c := t.chunks[id/chunkRecords]; c.rel != nil {
		c.rel[id%chunkRecords] = nil
	}
	t.free = append(t.free, id)
}

// bytes is the largest size that the records have had; what is free stays.
func (t *records) bytes() uint64 {
	return uint64(len(t.chunks))*chunkRecords*recordBytes + uint64(t.withRel)*chunkRecords*pointerBytes
}
