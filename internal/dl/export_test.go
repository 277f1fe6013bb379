package dl

// RunOneByOne is Run as it is on systems without assembly.
func (s *Sequence) RunOneByOne() int {
	s.at = 0
	s.oneByOne()
	return int(s.at)
}
