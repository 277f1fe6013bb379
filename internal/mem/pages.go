package mem

// pages commits the range in chunks and gives chunks in which nothing lives back to the system. Chunks are large, so that
// neither the number of system calls nor that of mappings grows with the number of small allocations.
type pages struct {
	base   uint64
	chunks []chunk
	retain uint64 // bytes that may stay committed with nothing alive in them
	idle   uint64 // bytes that are so
	queue  []uint32
}

const (
	chunkBytes    = 2 << 20
	chunkGranules = chunkBytes / granule
)

type chunk struct {
	live      uint16 // granules in use
	committed bool
	queued    bool
}

func (p *pages) init(base, size, retain uint64) {
	p.base, p.retain = base, retain
	p.chunks = make([]chunk, size/chunkBytes)
}

// use commits what count granules from start need.
func (p *pages) use(start, count uint64) error {
	first, last := start/chunkGranules, (start+count-1)/chunkGranules
	for i := first; i <= last; {
		if p.chunks[i].committed {
			i++
			continue
		}
		end := i + 1
		for end <= last && !p.chunks[end].committed {
			end++
		}
		if err := sysCommit(p.base+i*chunkBytes, (end-i)*chunkBytes); err != nil {
			return err // what was committed already stays so: idle, until it is used or the queue is trimmed
		}
		for ; i < end; i++ {
			p.chunks[i].committed = true
			p.rest(i)
		}
	}
	for i := first; i <= last; i++ {
		c := &p.chunks[i]
		if c.live == 0 {
			p.idle -= chunkBytes
		}
		c.live += uint16(overlap(i, start, count))
	}
	return nil
}

// drop says that count granules from start are no longer in use.
func (p *pages) drop(start, count uint64) {
	first, last := start/chunkGranules, (start+count-1)/chunkGranules
	for i := first; i <= last; i++ {
		c := &p.chunks[i]
		c.live -= uint16(overlap(i, start, count))
		if c.live == 0 {
			p.rest(i)
		}
	}
	p.trim()
}

// overlap is the number of granules of a run that lie in chunk i.
func overlap(i, start, count uint64) uint64 {
	return min(start+count, (i+1)*chunkGranules) - max(start, i*chunkGranules)
}

// rest notes that chunk i is committed and idle.
func (p *pages) rest(i uint64) {
	p.idle += chunkBytes
	if c := &p.chunks[i]; !c.queued {
		c.queued = true
		p.queue = append(p.queue, uint32(i))
	}
}

// trim gives back the chunks that have been idle longest until no more are idle than may be.
func (p *pages) trim() {
	n := 0
	for n < len(p.queue) && p.idle > p.retain {
		first := uint64(p.queue[n])
		end := first
		for n < len(p.queue) && uint64(p.queue[n]) == end && p.idle > p.retain {
			c := &p.chunks[end]
			c.queued = false
			n++
			if c.live != 0 {
				break
			}
			c.committed = false
			p.idle -= chunkBytes
			end++
		}
		if end > first {
			// A refusal leaves memory committed that nobody uses; committing it again later does no harm.
			_ = sysDecommit(p.base+first*chunkBytes, (end-first)*chunkBytes)
		}
	}
	if n > 0 {
		p.queue = append(p.queue[:0], p.queue[n:]...)
	}
}
