package mem

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
)

// AddForeign makes n bytes at addr legal that somebody else owns, such as a mapped buffer of a graphics library. The
// owner keeps them in place until RemoveForeign. Windows may overlap each other but not the range of the Space; an access
// is legal if one window holds all of it. name is for reports.
func (s *Space) AddForeign(addr, n uint64, name string) error {
	if addr < 1<<12 || n == 0 || addr+n < addr {
		return fmt.Errorf("add foreign memory %s: %d bytes at %#x are no window", name, n, addr)
	}
	if addr < s.base+s.size && s.base < addr+n {
		return fmt.Errorf("add foreign memory %s: %d bytes at %#x lie in the device's own range", name, n, addr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("add foreign memory %s: %w", name, ErrClosed)
	}
	r := &region{addr: addr, end: addr + n, kind: Foreign, name: name}
	r.live.Store(true)
	list := append(slices.Clone(*s.foreign.Load()), r)
	slices.SortFunc(list, func(a, b *region) int { return cmp.Compare(a.addr, b.addr) })
	s.foreign.Store(&list)
	return nil
}

// RemoveForeign ends one window that AddForeign made of n bytes at addr.
func (s *Space) RemoveForeign(addr, n uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.foreign.Load()
	i := slices.IndexFunc(old, func(r *region) bool { return r.addr == addr && r.end == addr+n })
	if i < 0 {
		return fmt.Errorf("remove foreign memory at %#x: %w", addr, ErrNotAllocated)
	}
	list := slices.Delete(slices.Clone(old), i, i+1)
	s.foreign.Store(&list)
	old[i].live.Store(false)
	s.generation.Add(1)
	return nil
}

// findForeign returns a window that holds the n bytes at addr. Windows are few, but nothing breaks if they are many.
func findForeign(list []*region, addr, n uint64) *region {
	i := sort.Search(len(list), func(i int) bool { return list[i].addr > addr })
	for i--; i >= 0; i-- {
		if list[i].legal(addr, n) {
			return list[i]
		}
	}
	return nil
}
