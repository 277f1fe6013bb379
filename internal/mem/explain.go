package mem

import "fmt"

// Explain says in words what is wrong with an access of n bytes at addr, or where they lie if nothing is.
func (s *Space) Explain(addr, n uint64) string {
	if addr+n < addr || addr < 1<<12 {
		if addr == 0 {
			return "null pointer"
		}
		return "near the null pointer"
	}
	r := s.find(addr)
	switch {
	case r == nil:
		return s.explainOutside(addr)
	case r.kind == reservation && r.live.Load():
		return "shared or local memory of another thread or block"
	case !r.live.Load():
		return fmt.Sprintf("%s into freed memory of %s", count(addr-r.addr), count(r.end-r.addr))
	case addr >= r.end:
		return pastEnd(addr-r.end, r)
	case n > r.end-addr:
		return fmt.Sprintf("the last %s lie past the end of %s", count(n-(r.end-addr)), describe(r))
	}
	return fmt.Sprintf("%s into %s", count(addr-r.addr), describe(r))
}

// near is how far from an allocation an address still belongs to it in the eyes of a reader.
const near = 64 << 10

func (s *Space) explainOutside(addr uint64) string {
	below, above := s.neighbours(addr)
	switch {
	case below != nil && addr-below.end < near:
		return pastEnd(addr-below.end, below)
	case above != nil && above.addr-addr <= near:
		return fmt.Sprintf("%s before the beginning of %s", count(above.addr-addr), describe(above))
	case addr-s.base < s.size:
		return "memory that is not allocated"
	}
	return "not an address of this device"
}

// neighbours returns the live regions closest to addr on either side of it.
func (s *Space) neighbours(addr uint64) (below, above *region) {
	consider := func(r *region) {
		if r.end <= addr && (below == nil || r.end > below.end) {
			below = r
		}
		if r.addr > addr && (above == nil || r.addr < above.addr) {
			above = r
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for b := s.fit.first; b != nil; b = b.next {
		if b.region != nil && b.region.kind == Allocation {
			consider(b.region)
		}
	}
	for _, r := range *s.foreign.Load() {
		consider(r)
	}
	return below, above
}

func pastEnd(n uint64, r *region) string {
	if n == 0 {
		return "just past the end of " + describe(r)
	}
	return fmt.Sprintf("%s past the end of %s", count(n), describe(r))
}

func describe(r *region) string {
	if r.kind == Foreign {
		return fmt.Sprintf("foreign memory %s of %s", r.name, count(r.end-r.addr))
	}
	return "an allocation of " + count(r.end-r.addr)
}

func count(n uint64) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
