package sanitize

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/mem"
)

// pageBytes is how much memory has one page of shadow.
const pageBytes = 4096

// initState says which bytes of tracked allocations have been written: one bit for each byte, in pages that are made when
// they are first touched.
type initState struct {
	space   *mem.Space
	pages   map[uint64]*initPage
	tracked map[uint64]uint64 // size by address
}

// initPage has a bit for each byte that was written, or that is not tracked.
type initPage [pageBytes / 64]uint64

// Track says that n bytes at addr are a new allocation, which nobody has written.
func (c *Checker) Track(addr, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.init.track(addr, n)
}

func (s *initState) track(addr, n uint64) {
	s.tracked[addr] = n
	s.mark(addr, n, false, false)
}

// Forget says that an allocation is gone.
func (c *Checker) Forget(addr uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.init.forget(addr)
}

func (s *initState) forget(addr uint64) {
	n, ok := s.tracked[addr]
	if !ok {
		return
	}
	delete(s.tracked, addr)
	s.mark(addr, n, true, false)
	for page := addr &^ (pageBytes - 1); page < addr+n; page += pageBytes {
		if p := s.pages[page]; p != nil && p.full() {
			delete(s.pages, page)
		}
	}
}

// Written says that the host wrote n bytes at addr.
func (c *Checker) Written(addr, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.init.mark(addr, n, true, true)
}

// Copied says that n bytes were copied: what was not written there is not written here.
func (c *Checker) Copied(dst, src, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := uint64(0); i < n; {
		step := min(n-i, 8)
		written := c.init.written(src+i, int(step))
		for b := range step {
			c.init.mark(dst+i+b, 1, written>>b&1 != 0, true)
		}
		i += step
	}
}

func (p *initPage) full() bool {
	for _, w := range p {
		if w != ^uint64(0) {
			return false
		}
	}
	return true
}

// page returns the shadow of a page, making it if need be.
func (s *initState) page(base uint64) *initPage {
	p := s.pages[base]
	if p == nil {
		p = new(initPage)
		s.fresh(p, base)
		s.pages[base] = p
	}
	return p
}

// fresh fills in a page: what is not tracked counts as written.
func (s *initState) fresh(p *initPage, base uint64) {
	for i := range p {
		p[i] = ^uint64(0)
	}
	for at := base; at < base+pageBytes; at += mem.Align {
		r, ok := s.space.Find(at)
		if !ok {
			continue
		}
		n, tracked := s.tracked[r.Addr]
		if !tracked {
			continue
		}
		for i := at; i < at+mem.Align && i < r.Addr+n; i++ {
			p[(i-base)/64] &^= 1 << (i % 64)
		}
	}
}

// mark sets or clears the bits of n bytes. Pages that do not exist are made only if make is set.
func (s *initState) mark(addr, n uint64, written, make bool) {
	for end := addr + n; addr < end; {
		base := addr &^ (pageBytes - 1)
		stop := min(end, base+pageBytes)
		p := s.pages[base]
		if p == nil && make {
			p = s.page(base)
		}
		if p != nil {
			p.set(addr-base, stop-base, written)
		}
		addr = stop
	}
}

// set changes the bits from lo up to hi.
func (p *initPage) set(lo, hi uint64, written bool) {
	for lo < hi {
		n := min(64-lo%64, hi-lo)
		mask := ^uint64(0) >> (64 - n) << (lo % 64)
		if written {
			p[lo/64] |= mask
		} else {
			p[lo/64] &^= mask
		}
		lo += n
	}
}

// written returns the bits of up to 32 bytes at addr, which do not cross a page.
func (s *initState) written(addr uint64, n int) uint64 {
	p := s.page(addr &^ (pageBytes - 1))
	off := addr % pageBytes
	v := p[off/64] >> (off % 64)
	if r := off % 64; r != 0 && off/64+1 < uint64(len(p)) {
		v |= p[off/64+1] << (64 - r)
	}
	return v & (1<<n - 1)
}

// bytes is the size of the shadow.
func (s *initState) bytes() uint64 { return uint64(len(s.pages)) * (pageBytes/8 + 48) }

// first returns the lowest byte that was not written.
func first(written uint64) uint64 { return uint64(bits.TrailingZeros64(^written)) }
