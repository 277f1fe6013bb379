package mem

// For tests of what is below the interface.
var (
	ReserveLargest = reserveLargest
	CgroupLimit    = cgroupLimit
)

// Committed is the number of bytes of the range that are committed.
func (s *Space) Committed() (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.pages.chunks {
		if c.committed {
			n += chunkBytes
		}
	}
	return n
}

// FreeBlocks is the number of free blocks: one when everything was freed and joined.
func (s *Space) FreeBlocks() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for b := s.fit.first; b != nil; b = b.next {
		if b.free {
			n++
		}
	}
	return n
}
