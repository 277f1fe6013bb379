package sanitize

import "slices"

// A launch has one counter of times. A warp has a time of its own, which is what its accesses bear, and gets a new one
// whenever it releases something; a vclock says up to which time of which warps everything has happened before.
//
// Vector clocks are immutable, so that warps and addresses share them. They are kept small: when one has more entries than
// maxEntries, the oldest are replaced by a floor that holds for all warps. That can hide a race, and makes none.
type vclock struct {
	floor   uint32
	entries []entry // by key
}

// entry is the time of a warp, or with warp anyWarp of all warps of a block.
type entry struct {
	key  uint64
	time uint32
}

const (
	anyWarp    = 0
	maxEntries = 48
	keptAfter  = 24
)

// warpKey is the key of a warp; -1 is all of the block.
func warpKey(block uint64, warp int) uint64 { return block<<6 | uint64(warp+1) }

// at returns the time up to which a warp's accesses have happened before.
func (v *vclock) at(block uint64, warp int) uint32 {
	if v == nil {
		return 0
	}
	t := v.floor
	for i := range v.entries {
		e := &v.entries[i]
		if e.key>>6 == block && (e.key&63 == anyWarp || e.key&63 == uint64(warp+1)) {
			t = max(t, e.time)
		}
	}
	return t
}

// join returns a clock that knows what both know.
func join(a, b *vclock) *vclock {
	switch {
	case a == b || b == nil:
		return a
	case a == nil:
		return b
	case covers(a, b):
		return a
	case covers(b, a):
		return b
	}
	out := &vclock{floor: max(a.floor, b.floor)}
	out.entries = make([]entry, 0, len(a.entries)+len(b.entries))
	x, y := a.entries, b.entries
	for len(x) > 0 || len(y) > 0 {
		var e entry
		switch {
		case len(y) == 0 || len(x) > 0 && x[0].key < y[0].key:
			e, x = x[0], x[1:]
		case len(x) == 0 || y[0].key < x[0].key:
			e, y = y[0], y[1:]
		default:
			e = entry{x[0].key, max(x[0].time, y[0].time)}
			x, y = x[1:], y[1:]
		}
		out.entries = append(out.entries, e)
	}
	return out.trim()
}

// covers reports whether a knows all that b knows.
func covers(a, b *vclock) bool {
	if b.floor > a.floor {
		return false
	}
	i := 0
	for _, e := range b.entries {
		if e.time <= a.floor {
			continue
		}
		for i < len(a.entries) && a.entries[i].key < e.key {
			i++
		}
		if i == len(a.entries) || a.entries[i].key != e.key || a.entries[i].time < e.time {
			return false
		}
	}
	return true
}

// with returns a clock that also knows a warp, or for warp -1 a whole block, up to a time.
func (v *vclock) with(block uint64, warp int, time uint32) *vclock {
	out := &vclock{}
	if v != nil {
		out.floor = v.floor
		out.entries = make([]entry, 0, len(v.entries)+1)
		for _, e := range v.entries {
			if warp < 0 && e.key>>6 == block || e.key == warpKey(block, warp) {
				continue // the new entry says as much, times only grow
			}
			out.entries = append(out.entries, e)
		}
	}
	out.entries = append(out.entries, entry{warpKey(block, warp), time})
	slices.SortFunc(out.entries, func(a, b entry) int { return compare(a.key, b.key) })
	return out.trim()
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// trim removes what the floor says already, and raises the floor if too much is left.
func (v *vclock) trim() *vclock {
	v.entries = slices.DeleteFunc(v.entries, func(e entry) bool { return e.time <= v.floor })
	if len(v.entries) <= maxEntries {
		return v
	}
	times := make([]uint32, len(v.entries))
	for i, e := range v.entries {
		times[i] = e.time
	}
	slices.Sort(times)
	v.floor = times[len(times)-keptAfter-1]
	return v.trim()
}
