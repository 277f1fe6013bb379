package policy

import "math"

// Policy decides how many items device d gets next.
type Policy interface {
	// Next returns a number of items of at most s.Remaining, or 0 to leave the device without work until the state
	// changes. It changes nothing, and has no memory of its own: equal states give equal answers.
	Next(s *State, d int) (n int, why Reason)
}

// Static gives each device its part of the job in one chunk, in proportion to Device.Power. What a device gives back is
// divided among the others.
func Static() Policy { return static{} }

type static struct{}

func (static) Next(s *State, d int) (int, Reason) {
	dev := &s.Devices[d]
	if dev.Dead {
		return 0, Gone
	}
	if s.Remaining == 0 {
		return 0, Empty
	}
	all, live, reserved, waiting := 0.0, 0.0, 0, 0
	for i := range s.Devices {
		all += s.Devices[i].power()
		if !s.Devices[i].Dead {
			live += s.Devices[i].power()
		}
	}
	for i := range s.Devices {
		if o := &s.Devices[i]; !o.Dead && o.Issued == 0 {
			waiting++
			reserved += s.part(o, o.power()/all)
		}
	}
	if dev.Issued == 0 {
		if waiting == 1 && live == all {
			return s.Remaining, Share // what rounding left goes to the last who asks
		}
		return min(s.part(dev, dev.power()/all), s.Remaining), Share
	}
	left := s.Remaining - reserved
	if left <= 0 && !s.Force {
		return 0, Reserved
	}
	return min(dev.up(int(math.Ceil(float64(max(left, 1))*dev.power()/live))), s.Remaining), Share
}

// part is a fraction of the job, aligned for the device.
func (s *State) part(d *Device, fraction float64) int {
	return d.up(int(math.Ceil(float64(s.Total) * fraction)))
}

// Dynamic gives out chunks of n items, to whoever asks.
func Dynamic(n int) Policy { return dynamic(max(n, 1)) }

type dynamic int

func (n dynamic) Next(s *State, d int) (int, Reason) {
	dev := &s.Devices[d]
	if why := s.closed(dev); why != Share {
		return 0, why
	}
	return min(dev.up(int(n)), s.Remaining), Share
}

// closed is Share if the device can get work.
func (s *State) closed(d *Device) Reason {
	switch {
	case d.Dead:
		return Gone
	case s.Remaining == 0:
		return Empty
	}
	return Share
}

// GuidedConfig configures Guided. The zero value is HGuided as published.
type GuidedConfig struct {
	_ struct{}
	// K divides each chunk; below or equal 0 it is 2. With 1 and equal powers the policy is guided self-scheduling.
	K float64
	// MinChunk is the smallest chunk in items; below 1 it is the alignment.
	MinChunk int
}

// Guided gives a device 1/K of its part, by Device.Power, of what is left: large chunks first, small ones at the end.
func Guided(c GuidedConfig) Policy {
	if c.K <= 0 {
		c.K = 2
	}
	return &guided{c}
}

type guided struct{ GuidedConfig }

func (g *guided) Next(s *State, d int) (int, Reason) {
	dev := &s.Devices[d]
	if why := s.closed(dev); why != Share {
		return 0, why
	}
	live := 0.0
	for i := range s.Devices {
		if !s.Devices[i].Dead {
			live += s.Devices[i].power()
		}
	}
	n := math.Ceil(float64(s.Remaining) * dev.power() / live / g.K)
	return min(dev.up(max(int(n), g.MinChunk)), s.Remaining), Share
}
