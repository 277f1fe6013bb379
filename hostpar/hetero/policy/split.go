package policy

import "time"

// Ideal is the shortest time in which the known devices do n items if each gets all its items in one chunk and all end
// together, and its inverse use: the bound that a run is held against. It is (n + Σ rᵢoᵢ) / Σ rᵢ over the devices whose
// overhead is less than that; 0 if no device is known.
func Ideal(s *State, n int) time.Duration {
	t, _ := s.level(n)
	return seconds(t)
}

// level solves for the time at which all devices that take part end, by dropping devices whose overhead it does not
// reach. It ends: dropping a device with oᵢ ≥ T does not raise T, and T falls to the least that a subset gives. parts is
// how many take part.
func (s *State) level(n int) (t float64, parts int) {
	bound := -1.0 // devices with an overhead of at least this are out
	for {
		work, rate, count := float64(n), 0.0, 0
		for i := range s.Devices {
			if d := &s.Devices[i]; d.known() && (bound < 0 || d.overhead() < bound) {
				work += d.Rate * d.overhead()
				rate += d.Rate
				count++
			}
		}
		if count == 0 {
			return 0, 0
		}
		t = work / rate
		if count == parts {
			return t, count
		}
		parts, bound = count, t
	}
}

// best is the known device that would do n items alone soonest, and when, in seconds from now. It is -1 if none is known.
func (s *State) best(n int) (d int, t float64) {
	d = -1
	for i := range s.Devices {
		dev := &s.Devices[i]
		if !dev.known() {
			continue
		}
		if own := dev.backlog(s.Now) + dev.overhead() + float64(n)/dev.Rate; d < 0 || own < t {
			d, t = i, own
		}
	}
	return d, t
}

// A second device is used for a short job if it makes the job shorter by this: less is within what a forecast can tell, and
// to begin on it, and to hear that it is done, costs time even before its first chunk.
const (
	worth = 0.03
	fork  = 30e-6 // seconds
)

// alone is the device that had better do the whole job by itself, which all devices together would do in t; else -1, also
// if a rate is not known well enough to leave the device out. It is computed as if nothing were under way: the answer must
// not change while devices ask in turn.
func (s *State) alone(t float64) int {
	one, least := -1, 0.0
	for i := range s.Devices {
		o := &s.Devices[i]
		if own := o.overhead() + float64(s.Total)/o.Rate; o.known() && (one < 0 || own < least) {
			one, least = i, own
		}
	}
	if least > t*(1+worth)+fork || s.unsure(t) {
		return -1
	}
	return one
}

// OneShot divides what is left by rates and overheads that are known, one chunk for each device, so that all end at the
// same time. Where one device alone would take less than 3 % longer, that gets everything. Devices whose rates are not
// known get nothing unless none is known.
func OneShot() Policy { return oneShot{} }

type oneShot struct{}

func (oneShot) Next(s *State, d int) (int, Reason) {
	dev := &s.Devices[d]
	if why := s.closed(dev); why != Share {
		return 0, why
	}
	if s.Force {
		return s.Remaining, Forced
	}
	if dev.Rate == 0 {
		if s.pace(-1) > 0 {
			return 0, Late
		}
		return s.Remaining, Forced
	}
	if dev.Issued > 0 {
		return s.leftover(d)
	}
	return s.divide(d)
}

// divide is the part of device d in a division of the whole job, given that each device asks once. It is computed from
// Total, so that it does not depend on who asks first.
func (s *State) divide(d int) (int, Reason) {
	dev := &s.Devices[d]
	t, parts := s.level(s.Total)
	if one := s.alone(t); parts > 1 && one >= 0 {
		if d == one {
			return s.Remaining, Whole
		}
		return 0, Short
	}
	x := dev.Rate * (t - dev.overhead())
	a := float64(dev.align())
	if x < a/2 {
		return 0, Short
	}
	return min(dev.up(int(x/a+0.5)*dev.align()), s.Remaining), Whole
}

// leftover gives what rounding or a failure left to the device that finishes it first.
func (s *State) leftover(d int) (int, Reason) {
	for i := range s.Devices {
		if o := &s.Devices[i]; o.known() && o.Issued == 0 {
			if n, _ := s.divide(i); n > 0 {
				return 0, Reserved
			}
		}
	}
	if best, _ := s.best(s.Remaining); best != d {
		return 0, Late
	}
	return s.Remaining, Rest
}
