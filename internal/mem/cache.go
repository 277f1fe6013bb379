package mem

// Cache remembers the regions that one caller found last. It belongs to one goroutine at a time. A cache never says yes
// where Space.Legal says no: regions know themselves whether they live.
type Cache struct {
	space *Space
	last  [4]*region
	next  uint8
}

var nothing region

// NewCache returns an empty cache for questions about s.
func NewCache(s *Space) Cache {
	return Cache{space: s, last: [4]*region{&nothing, &nothing, &nothing, &nothing}}
}

// Legal reports whether an access of n ≥ 1 bytes at addr is legal.
func (c *Cache) Legal(addr uint64, n int) bool {
	for _, r := range &c.last {
		if r.legal(addr, uint64(n)) {
			return true
		}
	}
	r := c.space.lookup(addr, uint64(n))
	if r == nil {
		return false
	}
	c.last[c.next] = r
	c.next = (c.next + 1) % uint8(len(c.last))
	return true
}
