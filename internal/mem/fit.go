package mem

import "math/bits"

// fit divides the granules of the range between blocks by two-level segregated fit (Masmano, Ripoll, Crespo, Real, "TLSF:
// a new dynamic memory allocator for real-time systems", 2004): a request takes constant time, and neighbours that are
// free are always one block. What describes a block lies on Go's heap, never in the memory it describes.
type fit struct {
	first *block // lowest address
	// lists are the free blocks by size class; the bitmaps say which lists are not empty.
	lists  [levels][subclasses]*block
	levels uint64
	subs   [levels]uint16
}

const (
	levels     = 64
	subBits    = 4
	subclasses = 1 << subBits
)

// block is a run of granules, free or not.
type block struct {
	start, size uint64 // in granules
	region      *region
	prev, next  *block // neighbours by address
	before      *block // neighbours in the list of free blocks
	after       *block
	free        bool
}

func (f *fit) init(start, size uint64) {
	f.first = &block{start: start, size: size}
	f.insert(f.first)
}

// class returns the list that holds free blocks of the size.
func class(size uint64) (level, sub int) {
	if size < subclasses {
		return 0, int(size)
	}
	level = bits.Len64(size) - subBits
	return level, int(size>>(level-1)) & (subclasses - 1)
}

func (f *fit) insert(b *block) {
	l, s := class(b.size)
	b.free = true
	b.before, b.after = nil, f.lists[l][s]
	if b.after != nil {
		b.after.before = b
	}
	f.lists[l][s] = b
	f.levels |= 1 << l
	f.subs[l] |= 1 << s
}

func (f *fit) remove(b *block) {
	l, s := class(b.size)
	b.free = false
	if b.after != nil {
		b.after.before = b.before
	}
	if b.before != nil {
		b.before.after = b.after
		return
	}
	f.lists[l][s] = b.after
	if b.after == nil {
		f.subs[l] &^= 1 << s
		if f.subs[l] == 0 {
			f.levels &^= 1 << l
		}
	}
}

// take returns a block of exactly size granules, nil if no free block is large enough.
func (f *fit) take(size uint64) *block {
	b := f.search(size)
	if b == nil {
		return nil
	}
	f.remove(b)
	if b.size > size {
		rest := &block{start: b.start + size, size: b.size - size, prev: b, next: b.next}
		if rest.next != nil {
			rest.next.prev = rest
		}
		b.next, b.size = rest, size
		f.insert(rest)
	}
	return b
}

// search looks in the request's own class first, where blocks may be smaller than the request, then takes any block of
// the next class that has one.
func (f *fit) search(size uint64) *block {
	l, s := class(size)
	for b, tries := f.lists[l][s], 0; b != nil && tries < 8; b, tries = b.after, tries+1 {
		if b.size >= size {
			return b
		}
	}
	if subs := f.subs[l] & (^uint16(0) << s << 1); subs != 0 {
		return f.lists[l][bits.TrailingZeros16(subs)]
	}
	if up := f.levels & (^uint64(0) << l << 1); up != 0 {
		l := bits.TrailingZeros64(up)
		return f.lists[l][bits.TrailingZeros16(f.subs[l])]
	}
	for b := f.lists[l][s]; b != nil; b = b.after {
		if b.size >= size {
			return b
		}
	}
	return nil
}

// give frees a block and joins it with free neighbours.
func (f *fit) give(b *block) {
	if p := b.prev; p != nil && p.free {
		f.remove(p)
		f.join(p, b)
		b = p
	}
	if n := b.next; n != nil && n.free {
		f.remove(n)
		f.join(b, n)
	}
	f.insert(b)
}

// join appends b, the neighbour behind a, to a.
func (f *fit) join(a, b *block) {
	a.size += b.size
	a.next = b.next
	if a.next != nil {
		a.next.prev = a
	}
}
