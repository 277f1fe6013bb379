package policy

import "time"

// AdaptiveConfig configures Adaptive. The zero value is the default policy, whose bounds the tests hold.
type AdaptiveConfig struct {
	_ struct{}
	// MaxChunk bounds a chunk to this fraction of the forecast total time; 0 is 0.02. It is what a failure can lose.
	MaxChunk float64
	// MaxChunkTime, if not 0, bounds a chunk to this time instead.
	MaxChunkTime time.Duration
	// MinChunk is the smallest chunk in items, apart from the last; below 1 it is the alignment.
	MinChunk int
}

// Adaptive needs to be told nothing. A device begins with a small chunk, and later ones are at most 8 times the last,
// until a chunk is half of its part of what is left or takes 2 % of the run, whichever is less, but no less than ten
// times its overhead. Near the end no device takes a chunk that it would finish after all others. Short jobs on devices
// whose rates are trusted are divided in closed form.
//
// In virtual time without noise it ends within 1.02 of the ideal for speeds of 1:1 to 1:300; see the tests for noise,
// drift, failures and uneven work.
func Adaptive(c AdaptiveConfig) Policy {
	if c.MaxChunk <= 0 {
		c.MaxChunk = 0.02
	}
	return &adaptive{c}
}

type adaptive struct{ AdaptiveConfig }

const (
	probeShare   = 5e-4 // of the job: the first chunk of a device
	growth       = 8    // times the last chunk
	overheads    = 10   // a chunk takes at least so many times its overhead
	alone        = 50   // the same for the only device of a job
	shortJob     = 100  // times the largest overhead: below, chunks of ten overheads cost more than a measured rate is wrong
	briefJob     = 1000 // times the largest overhead: below, a chunk that confirms a rate must be worth it
	opening      = 0.8  // of its part: the first chunk of a trusted device
	careful      = 0.5  // the same for one that is not, in a brief job: it may be twice as slow as it was
	openingUpTo  = 0.1  // seconds: a longer chunk loses too much by a failure
	laterChunk   = 0.1  // of the total time, instead of MaxChunk: chunks after an opening
	trial        = 0.1  // of the job: where the smallest chunk of a device takes longer, nothing is gained by trying
	endgame      = 4    // times the largest overhead: below, the end has come
	halve        = 2    // a chunk is at most the device's part of what is left, divided by this
	tolerance    = 1.02 // a chunk may end this much later than everything else
	tailCaution  = 0.9  // part of the time left that a device fills in the endgame
	shortestStep = 1e-9 // seconds
)

func (p *adaptive) Next(s *State, d int) (int, Reason) {
	dev := &s.Devices[d]
	if why := s.closed(dev); why != Share {
		return 0, why
	}
	if why := s.gate(d); why != Share {
		return 0, why
	}
	n, why := p.choose(s, d)
	if n == 0 {
		if s.Force {
			return s.Remaining, Forced
		}
		return 0, why
	}
	if p.MinChunk > n {
		n = dev.up(p.MinChunk)
	}
	return min(n, s.Remaining), why
}

// gate is NoGain if the device's part would not be worth moving data for, Waits while that cannot be told, else Share.
func (s *State) gate(d int) Reason {
	dev := &s.Devices[d]
	if dev.MinGain <= 0 || s.Force {
		return Share
	}
	others, rate := s.pace(d), dev.Rate
	if rate <= 0 {
		rate = dev.Most
	}
	switch {
	case others <= 0:
		for i := range s.Devices {
			if o := &s.Devices[i]; i != d && !o.Dead && o.MinGain <= 0 {
				return Waits
			}
		}
	case rate > 0 && (others+rate)/others < 1+dev.MinGain:
		return NoGain
	}
	return Share
}

// gated reports whether the device is dead or takes no part because data would have to move.
func (s *State) gated(i int) bool { return s.Devices[i].Dead || s.gate(i) == NoGain }

func (p *adaptive) choose(s *State, d int) (int, Reason) {
	dev := &s.Devices[d]
	if dev.Rate == 0 {
		return s.probe(d, Probe)
	}
	o := s.outlook()
	if dev.Issued == 0 {
		if n, why, ok := s.open(d, &o); ok {
			return n, why
		}
		return s.probe(d, Confirm)
	}
	if s.divided(&o) {
		return s.leftover(d)
	}
	if o.left < endgame*o.overhead {
		return p.last(s, d, &o)
	}
	x := dev.Rate * float64(s.Remaining) / o.rate / halve
	share := p.MaxChunk
	if total := s.Now.Seconds() + o.left; total < openingUpTo && (s.trusted() || total < briefJob*o.overhead && dev.confirmed) {
		share = max(share, laterChunk)
	}
	most := share * (s.Now.Seconds() + o.left)
	if o.live == 1 && dev.Serial {
		most = max(most, openingUpTo) // a chunk more would be one more start of all its workers
	}
	if p.MaxChunkTime > 0 {
		most = p.MaxChunkTime.Seconds()
	}
	least := overheads * dev.overhead()
	if o.live == 1 {
		x, least = float64(s.Remaining), alone*dev.overhead() // nobody to balance with
	}
	x = min(x, dev.Rate*max(most, least))
	x = max(x, dev.Rate*min(overheads*dev.overhead(), o.left-dev.overhead()))
	n, why := dev.down(x), Share
	if n == 0 {
		if n, why = p.smallest(s, d, &o); n > 0 {
			return n, why
		}
	}
	if limit := dev.up(growth * dev.Last); n > limit && !dev.confirmed {
		n, why = limit, Growing
	}
	return p.fit(s, d, n, why, &o)
}

// smallest is the smallest chunk there is, for a device whose part of what is left is less: if there is time for it, by what
// those devices alone can do whose chunks are fine enough, and if no one device had done all before. Otherwise none of many
// equal devices would take the last chunks, and wait for the one that can take single items.
func (p *adaptive) smallest(s *State, d int, o *outlook) (int, Reason) {
	fine := 0.0
	for i := range s.Devices {
		if x := &s.Devices[i]; x.known() && x.overhead()+float64(x.align())/x.Rate <= o.left/2 {
			fine += x.Rate
		}
	}
	dev := &s.Devices[d]
	n := min(dev.align(), s.Remaining)
	end := dev.backlog(s.Now) + dev.overhead() + float64(n)/dev.Rate
	if _, t := s.best(s.Remaining); end <= o.left/2 || end*fine <= o.left*o.rate/2 && end <= t+shortestStep {
		return n, Share
	}
	return 0, Late
}

// probe is the first chunk of a device in this run. One who comes late, when the others would be done before, gets none.
func (s *State) probe(d int, why Reason) (int, Reason) {
	dev := &s.Devices[d]
	return min(dev.up(int(float64(s.Total)*probeShare)), s.Remaining), why
}

// trusted reports whether all devices that take part are known and trusted.
func (s *State) trusted() bool {
	for i := range s.Devices {
		if d := &s.Devices[i]; !(d.Trusted && d.Rate > 0) && !s.gated(i) {
			return false
		}
	}
	return true
}

// open is the first chunk of a device whose rate is known from earlier runs: its whole part in a short job, most of it in
// a longer one. Where another device alone would be about as fast, it gets nothing. ok is false if the rate must be
// confirmed first, which a brief job has no time for if rates come from chunks that were too small to tell, or chunks
// cannot be small, or if its own earlier runs have told the rates.
func (s *State) open(d int, o *outlook) (n int, why Reason, ok bool) {
	for i := range s.Devices {
		if s.Devices[i].Rate <= 0 && !s.gated(i) {
			return 0, Share, false
		}
	}
	dev := &s.Devices[d]
	t, _ := s.level(s.Total)
	trusted := s.trusted()
	brief, short := t < briefJob*o.overhead, t < shortJob*o.overhead
	known := brief && (s.unsure(t) || s.coarse(t) || s.alone(t) >= 0 || s.measured())
	if t >= openingUpTo || !trusted && !known {
		return 0, Share, false
	}
	n, why = s.divide(d)
	switch {
	case n == 0:
	case !dev.told(t):
		n, why = min(n, dev.up(growth*dev.Seen)), Growing
	case !short && n < s.Remaining && s.alone(t) < 0:
		part := opening
		if !trusted {
			part = careful
		}
		n = dev.up(int(part * float64(n)))
	}
	return n, why, true
}

// told reports whether the rate of the device comes from chunks large enough to tell what it would do of a job that takes
// t: half of its part, or so large that the overhead does not count.
func (d *Device) told(t float64) bool {
	return d.Seen == 0 || 2*float64(d.Seen) >= d.Rate*(t-d.overhead()) || float64(d.Seen) >= 2*overheads*d.Rate*d.overhead()
}

// unsure reports whether some device's rate does not tell enough for a job that takes t.
func (s *State) unsure(t float64) bool {
	for i := range s.Devices {
		if d := &s.Devices[i]; d.known() && !d.told(t) {
			return true
		}
	}
	return false
}

// measured reports whether all rates come from chunks of such a job.
func (s *State) measured() bool {
	for i := range s.Devices {
		if d := &s.Devices[i]; d.known() && d.Seen == 0 {
			return false
		}
	}
	return true
}

// coarse reports whether the smallest chunk of some device, apart from the fastest, is a large part of a job that takes t.
func (s *State) coarse(t float64) bool {
	best := s.fastest()
	for i := range s.Devices {
		if d := &s.Devices[i]; i != best && d.known() && d.overhead()+float64(d.align())/d.Rate > trial*t {
			return true
		}
	}
	return false
}

// fastest is the known device with the highest rate, -1 if none is known.
func (s *State) fastest() int {
	best := -1
	for i := range s.Devices {
		if s.Devices[i].known() && (best < 0 || s.Devices[i].Rate > s.Devices[best].Rate) {
			best = i
		}
	}
	return best
}

// divided reports whether the job was divided in closed form, and nothing went wrong since: it is short, some device was
// trusted and its first chunk is not a confirming one.
func (s *State) divided(o *outlook) bool {
	once := false
	for i := range s.Devices {
		d := &s.Devices[i]
		if d.Dead && d.Issued > 0 {
			return false
		}
		once = once || d.Trusted && d.Issued == 1 && d.Last > d.up(int(float64(s.Total)*probeShare))
	}
	if !once {
		return false
	}
	t, _ := s.level(s.Total)
	return t < shortJob*o.overhead
}

// last is the endgame: the device that would finish all that is left first takes it, and another only takes what it
// finishes before that.
func (p *adaptive) last(s *State, d int, o *outlook) (int, Reason) {
	dev := &s.Devices[d]
	best, t := s.best(s.Remaining)
	if best == d {
		return s.Remaining, Rest
	}
	n := dev.down(dev.Rate * (min(o.left, t) - dev.backlog(s.Now) - dev.overhead()) * tailCaution)
	switch {
	case n > 0:
		return n, Tail
	case o.busy && !s.Force:
		return 0, Late
	}
	return s.Remaining, Forced
}

// fit shrinks a chunk that would end after everything else, to nothing if need be.
func (p *adaptive) fit(s *State, d, n int, why Reason, o *outlook) (int, Reason) {
	dev := &s.Devices[d]
	if n == 0 {
		if !o.busy || s.Force {
			return s.Remaining, Forced
		}
		return 0, Late
	}
	wait := dev.backlog(s.Now) + dev.overhead()
	if s.Force || wait+float64(min(n, s.Remaining))/dev.Rate <= tolerance*o.left+shortestStep {
		return n, why
	}
	n = dev.down(dev.Rate * (o.left - wait))
	switch {
	case n > 0:
		return n, Tail
	case !o.busy:
		return dev.align(), Tail
	}
	return 0, Late
}
