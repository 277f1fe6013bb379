package policy

import (
	"math"
	"time"
)

// State is a snapshot of a job: its items, and the devices that share them. The zero value of a Device field is "not
// known". A State is not safe for concurrent use.
type State struct {
	// Now is the time since the job began.
	Now time.Duration
	// Total is how many items the job has, Remaining how many nobody was given, or were given back.
	Total, Remaining int
	// Force says that all live devices are parked and none has work: Next must give the device something.
	Force bool
	// Devices are the devices of the job, in the order of the numbers that Next takes.
	Devices []Device
}

// Device is what is known of one device.
type Device struct {
	// Rate is in items a second, transfers included; 0 if nothing is known.
	Rate float64
	// Seen is the largest chunk that Rate comes from; 0 if that is not known. The time of a small chunk is mostly
	// overhead, which makes a device look slow, so it is not left out of a short job because of that.
	Seen int
	// Overhead is what a chunk costs whatever its size.
	Overhead time.Duration
	// Align is what chunk sizes are a multiple of, except at the end of the job; below 1 it is 1.
	Align int
	// Trusted says that Rate comes from enough earlier runs that agreed, so that a short job may be split by it without
	// a trial. Without it, a known Rate is confirmed by a small chunk first.
	Trusted bool
	// MinGain is by what fraction a device must shorten the job to take part: 0.03 for one that data must leave its place
	// for, 0 for one that costs nothing.
	MinGain float64
	// Most is a bound of Rate that is known before it: by the data that must move, for instance; 0 if none is. With
	// MinGain it decides whether the device is tried at all.
	Most float64
	// Serial says that it does one chunk after the other and has nothing to copy meanwhile, so that chunks serve to balance
	// devices and not to keep it busy.
	Serial bool
	// Power is a speed given by the user, in any unit, for Static and Guided; 0 counts as 1.
	Power float64
	// Dead says that the device gets no more work.
	Dead bool

	// Flights are the chunks that it works on, oldest first.
	Flights []Flight
	// Issued is how many chunks it was given, Finished how many of them it has done, Items how many items those had.
	Issued, Finished, Items int
	// Last is the size of the chunk it was given last.
	Last int

	freed     time.Duration // when it last finished a chunk
	doubted   float64       // the rate before a sample that was far off; 0 if none is under doubt
	confirmed bool          // the first chunk agreed with a rate from earlier runs
}

// Flight is a chunk under way.
type Flight struct {
	// ID is the caller's name for it, Issued when it was given out, N how many items it has.
	ID     uint64
	Issued time.Duration
	N      int
}

const (
	// smoothing is the weight of a new sample in the moving average of a rate. It follows a drift within two chunks and
	// halves noise.
	smoothing = 0.6
	// farOff is the factor by which a sample must differ to be doubted. Noise of 30 % (a standard deviation of the
	// logarithm) goes beyond it once in 4,000 chunks.
	farOff = 3
	// settled is how many samples a rate needs before one that is far off is doubted.
	settled = 3
	// agree is the factor within which a first sample confirms a rate from earlier runs.
	agree = 2.0
)

// Issue notes that device d was given n items at s.Now.
func (s *State) Issue(d int, id uint64, n int) {
	dev := &s.Devices[d]
	dev.Flights = append(dev.Flights, Flight{ID: id, Issued: s.Now, N: n})
	dev.Issued++
	dev.Last = n
	s.Remaining -= n
}

// Finish notes that device d did the chunk at s.Now, and learns from how long it took. A device that works on several
// chunks at once is taken for a queue: a chunk began when the device had done the one before.
func (s *State) Finish(d int, id uint64) {
	dev := &s.Devices[d]
	f, ok := dev.remove(id)
	if !ok {
		return
	}
	alone := f.Issued >= dev.freed
	began := max(f.Issued, dev.freed)
	dev.freed = s.Now
	dev.Finished++
	dev.Items += f.N
	took := max(s.Now-began, 1)
	if alone && took <= dev.Overhead {
		dev.Overhead = took / 2 // it cannot be what was thought
	}
	// What the clock cannot tell from the overhead must not become an enormous rate.
	net := max(took-dev.Overhead, took/64, 1)
	dev.learn(float64(f.N) / net.Seconds())
	dev.Seen = max(dev.Seen, f.N)
}

// Drop takes a chunk back, undone, from device d.
func (s *State) Drop(d int, id uint64) {
	if f, ok := s.Devices[d].remove(id); ok {
		s.Remaining += f.N
	}
}

// remove forgets a flight.
func (d *Device) remove(id uint64) (Flight, bool) {
	for i, f := range d.Flights {
		if f.ID == id {
			d.Flights = append(d.Flights[:i], d.Flights[i+1:]...)
			return f, true
		}
	}
	return Flight{}, false
}

// learn takes one sample into the rate. A first sample that contradicts what an earlier run said replaces it, and a second
// one that is much faster replaces the first, which may have paid for loading and compiling on first use. Later, a
// single sample that is far off may be a page fault or a stranger on the machine: a slow one is believed until the next
// one, because a chunk too large at the end costs more than one too small; a fast one must be seen twice.
func (d *Device) learn(sample float64) {
	ratio := sample / d.Rate
	d.confirmed = d.confirmed || d.Rate > 0 && d.Finished == 1 && ratio <= agree && ratio >= 1/agree
	switch {
	case d.Rate == 0 || d.Finished == 1 && (ratio > agree || ratio < 1/agree) || d.Finished == 2 && !d.confirmed && ratio > agree:
		d.Rate = sample
	case d.doubted > 0:
		before := d.doubted
		d.doubted = 0
		if far(sample / before) {
			d.Rate = sample // seen twice
		} else {
			d.Rate = before + smoothing*(sample-before)
		}
	case d.Finished > settled && far(ratio):
		d.doubted = d.Rate
		d.Rate = min(d.Rate, sample)
	default:
		d.Rate += smoothing * (sample - d.Rate)
	}
}

// far reports whether two rates with this ratio disagree.
func far(ratio float64) bool { return ratio > farOff || ratio < 1.0/farOff }

// Predict is how long n items take device d when it has nothing else to do; ok is false while its rate is not known.
func (s *State) Predict(d, n int) (t time.Duration, ok bool) {
	dev := &s.Devices[d]
	if dev.Rate <= 0 {
		return 0, false
	}
	return dev.Overhead + seconds(float64(n)/dev.Rate), true
}

// seconds is a duration from a number of seconds, which may be too large for one.
func seconds(t float64) time.Duration {
	return time.Duration(min(t*1e9, math.MaxInt64/4))
}

// known reports whether the device counts in forecasts.
func (d *Device) known() bool { return !d.Dead && d.Rate > 0 }

// align is Align as a usable number.
func (d *Device) align() int { return max(d.Align, 1) }

// power is Power with its default.
func (d *Device) power() float64 {
	if d.Power > 0 {
		return d.Power
	}
	return 1
}

// up is n rounded to the next multiple of the alignment, at least one of it.
func (d *Device) up(n int) int {
	a := d.align()
	return max((n+a-1)/a, 1) * a
}

// down is x rounded down to a multiple of the alignment; 0 for negative x.
func (d *Device) down(x float64) int {
	a := float64(d.align())
	return int(max(math.Floor(min(x, 1<<53)/a), 0) * a)
}

// overhead is Overhead in seconds.
func (d *Device) overhead() float64 { return d.Overhead.Seconds() }

// backlog is how long, in seconds, the device still works on what it was given. What is late is taken to need as long again
// as it is late: it may be a moment, or never.
func (d *Device) backlog(now time.Duration) float64 {
	t := 0.0
	for _, f := range d.Flights {
		t += d.overhead() + float64(f.N)/d.Rate
	}
	if len(d.Flights) > 0 {
		t -= (now - max(d.Flights[0].Issued, d.freed)).Seconds()
	}
	return math.Abs(t)
}

// undone is how many items of what the device was given are left, by its rate.
func (d *Device) undone(now time.Duration) float64 {
	n := 0.0
	for _, f := range d.Flights {
		n += float64(f.N)
	}
	if len(d.Flights) > 0 {
		spent := (now - max(d.Flights[0].Issued, d.freed)).Seconds() - d.overhead()
		n -= max(spent, 0) * d.Rate
	}
	return max(n, 0)
}

// outlook is what a policy wants to know of all known devices together.
type outlook struct {
	rate     float64 // sum of the rates
	overhead float64 // the largest
	left     float64 // seconds until everything is done, if all work to the end
	live     int     // devices that take part
	busy     bool    // some device works on something
}

// outlook sums up the devices.
func (s *State) outlook() (o outlook) {
	work := float64(s.Remaining)
	for i := range s.Devices {
		d := &s.Devices[i]
		if d.Dead {
			continue
		}
		if d.MinGain <= 0 || !s.gated(i) {
			o.live++
		}
		o.busy = o.busy || len(d.Flights) > 0
		if d.Rate > 0 {
			o.rate += d.Rate
			o.overhead = max(o.overhead, d.overhead())
			work += d.undone(s.Now)
		}
	}
	if o.rate > 0 {
		o.left = work / o.rate
	}
	return o
}
