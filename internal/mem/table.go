package mem

import "sync/atomic"

// The table answers which region an address lies in, in constant time and without a lock: the range is divided into
// units; a unit that lies in one region wholly points to it, any other has a pointer for each granule.
//
// Pointers to dead regions stay until memory is used again. They cost nothing, since a region says itself whether it
// lives, and tell use after free from other bad addresses.
const (
	granule      = Align
	unitGranules = 256
	unitBytes    = unitGranules * granule
	leafUnits    = 1024
	leafBytes    = leafUnits * unitBytes
)

type table struct {
	base, size uint64
	leaves     []atomic.Pointer[leaf]
}

type leaf [leafUnits]unit

type unit struct {
	// whole is the region that covers the unit. If it is nil, granules tells.
	whole    atomic.Pointer[region]
	granules atomic.Pointer[[unitGranules]atomic.Pointer[region]]
}

func (t *table) init(base, size uint64) {
	t.base, t.size = base, size
	t.leaves = make([]atomic.Pointer[leaf], (size+leafBytes-1)/leafBytes)
}

// find returns the last region that addr was inside of, dead or alive; nil for guards and memory never used.
func (t *table) find(addr uint64) *region {
	off := addr - t.base
	if off >= t.size {
		return nil
	}
	l := t.leaves[off/leafBytes].Load()
	if l == nil {
		return nil
	}
	u := &l[off/unitBytes%leafUnits]
	if r := u.whole.Load(); r != nil {
		return r
	}
	g := u.granules.Load()
	if g == nil {
		return nil
	}
	return g[off/granule%unitGranules].Load()
}

// put makes r known at count granules from start, of which the last is its guard. The caller holds the lock of the
// allocator, and nobody but it knows of r yet: readers that look at a unit while it changes ask for other regions, and
// of those the unit's entries stay right at each step.
func (t *table) put(r *region, start, count uint64) {
	end := start + count
	for at := start; at < end; {
		u := t.unit(at)
		next := min(end, (at/unitGranules+1)*unitGranules)
		if next-at == unitGranules && next < end {
			u.whole.Store(r)
		} else {
			g := u.small()
			for i := at; i < next; i++ {
				if i == end-1 {
					r = nil
				}
				g[i%unitGranules].Store(r)
			}
			u.whole.Store(nil)
		}
		at = next
	}
}

func (t *table) unit(g uint64) *unit {
	i := g / (leafUnits * unitGranules)
	l := t.leaves[i].Load()
	if l == nil {
		l = new(leaf)
		t.leaves[i].Store(l)
	}
	return &l[g/unitGranules%leafUnits]
}

// small returns the granules of the unit. If a dead region covered it whole, they point to that first, so that what is
// not used again is still known as freed.
func (u *unit) small() *[unitGranules]atomic.Pointer[region] {
	g := u.granules.Load()
	dead := u.whole.Load()
	if g != nil && dead == nil {
		return g
	}
	if g == nil {
		g = new([unitGranules]atomic.Pointer[region])
	}
	if dead != nil {
		for i := range g {
			g[i].Store(dead)
		}
	}
	u.granules.Store(g)
	return g
}
