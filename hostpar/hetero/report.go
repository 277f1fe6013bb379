package hetero

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// Report tells what a run did.
type Report struct {
	// Prepare is the time for compiling and allocating, Wall the time from then to the end.
	Prepare, Wall time.Duration
	// Ideal is the least time in which the devices, at the rates of this run, could have done the items, each in one chunk
	// and all ending together. Efficiency is Ideal/Wall.
	Ideal      time.Duration
	Efficiency float64
	// Items were done, in so many Chunks, of which Retried were done again because they had failed; LostItems is how many
	// items those had. Shadowed chunks were computed twice to compare them (their first time is among what was Lost), and
	// Speculated ones were tried by a second device because the first was late.
	Items, Chunks, Retried, LostItems, Shadowed, Speculated int
	// Loss is where the rest of the time went.
	Loss Loss
	// Devices are the devices of the pool, in its order.
	Devices []DeviceReport
	// ModelErr says why what was learned could not be kept; nil if it was.
	ModelErr error
}

// Loss attributes the time in which devices did not do items that count: fractions of the Wall of all devices together,
// weighted by their rates. They and the work add up to 1.
type Loss struct {
	// Overhead of chunks; Start, before a device's first chunk; Tail, after its last; Idle, between; Lost, on chunks that
	// failed, and after the device was lost.
	Overhead, Start, Tail, Idle, Lost float64
}

// DeviceReport tells what one device did.
type DeviceReport struct {
	ID, Name string
	// Items it did, Share of all items, Chunks they came in, items of the Largest one.
	Items   int
	Share   float64
	Chunks  int
	Largest int
	// Busy is how long it had something to do. Load, Compute, Store and Commit are how long its lanes spent on parts of
	// that, added up; 0 where a device does not tell.
	Busy, Load, Compute, Store, Commit time.Duration
	// Rate is in items a second while busy, apart from Overhead, which is that of a chunk.
	Rate     float64
	Overhead time.Duration
	// Why says in a sentence why it got nothing, or was taken out; empty if neither. Err is the error, if one was why.
	Why string
	Err error
}

// fit is what the run says of the speed of device i, and what its use cost.
func (rep *Report) fit(i int) policy.Fit {
	d := &rep.Devices[i]
	f := policy.Fit{Rate: d.Rate, Overhead: d.Overhead, Seen: d.Largest}
	without := math.Inf(1) // seconds that the best of the others would have taken
	for k := range rep.Devices {
		if o := &rep.Devices[k]; k != i && o.Rate > 0 {
			without = min(without, o.Overhead.Seconds()+float64(rep.Items)/o.Rate)
		}
	}
	f.Cost = max(rep.Wall.Seconds()/without-1, 0)
	return f
}

// parts adds up how long the lanes of a device spent on what.
type parts [5]atomic.Int64

func (p *parts) add(k trace.Kind, d time.Duration) {
	if int(k) < len(p) {
		p[k].Add(int64(d))
	}
}

func (p *parts) of(k trace.Kind) time.Duration { return time.Duration(p[k].Load()) }

// report makes the report of a run that has ended.
func (r *run) report() *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	unit := r.job.layout.unit
	rep := &Report{
		Wall: r.now(), Chunks: r.chunks, Retried: r.retried, LostItems: r.lost * unit, Shadowed: r.shadows, Speculated: r.guesses,
		Items: min(r.done*unit, r.job.layout.items),
	}
	if r.done == r.job.layout.units {
		rep.Items = r.job.layout.items
	}
	sustained, work := policy.State{}, 0
	for i, m := range r.devices {
		dev := r.state.Devices[i]
		d := DeviceReport{
			ID: m.info.ID, Name: m.info.Name, Err: m.err, Chunks: dev.Finished, Items: m.items, Largest: m.largest,
			Share: float64(m.items) / float64(r.job.layout.items), Busy: m.busy, Overhead: dev.Overhead,
			Load: r.parts[i].of(trace.Load), Compute: r.parts[i].of(trace.Compute), Store: r.parts[i].of(trace.Store), Commit: r.parts[i].of(trace.Commit),
		}
		rate := r.sustained(i)
		d.Rate = rate * float64(unit) / r.job.perUnit()
		work += dev.Items
		switch {
		case m.err != nil:
			d.Why = fmt.Sprintf("%s is out: %v", d.Name, m.err)
		case dev.Finished == 0:
			d.Why = policy.Explain(&r.state, i, d.Name, max(m.why, policy.Empty))
		}
		rep.Devices = append(rep.Devices, d)
		sustained.Devices = append(sustained.Devices, policy.Device{Rate: rate, Overhead: dev.Overhead})
	}
	rep.Ideal = policy.Ideal(&sustained, work)
	if rep.Wall > 0 {
		rep.Efficiency = rep.Ideal.Seconds() / rep.Wall.Seconds()
	}
	rep.Loss = r.loss(rep.Wall, sustained.Devices)
	return rep
}

// sustained is the rate of a device over the whole run, in the policy's items a second.
func (r *run) sustained(i int) float64 {
	m, dev := r.devices[i], &r.state.Devices[i]
	if dev.Items == 0 {
		return 0
	}
	busy := m.busy - m.wasted
	net := max(busy-time.Duration(dev.Finished)*dev.Overhead, busy/64, 1)
	return float64(dev.Items) / net.Seconds()
}

// loss divides the time of the devices that did something.
func (r *run) loss(wall time.Duration, devices []policy.Device) (l Loss) {
	all := 0.0
	for _, d := range devices {
		all += d.Rate * wall.Seconds()
	}
	if all == 0 {
		return l
	}
	for i, d := range devices {
		if d.Rate == 0 {
			continue
		}
		m, dev := r.devices[i], &r.state.Devices[i]
		part := func(t time.Duration) float64 { return d.Rate * max(t, 0).Seconds() / all }
		end, lost := wall, min(m.wasted, m.busy)
		if dev.Dead {
			end = m.died
			lost += wall - m.died
		}
		work := time.Duration(float64(dev.Items) / d.Rate * 1e9)
		start, tail := m.first, max(end-m.last, 0)
		if dev.Dead {
			tail = 0
		}
		overhead := m.busy - min(m.wasted, m.busy) - work
		l.Overhead += part(overhead)
		l.Start += part(start)
		l.Lost += part(lost)
		l.Tail += part(tail)
		l.Idle += part(wall - work - max(overhead, 0) - start - lost - tail)
	}
	return l
}

// String is the report for people: a line on the run and one on each device.
func (rep *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d items in %v, efficiency %.3f (ideal %v), %s", rep.Items, rep.Wall.Round(time.Microsecond), rep.Efficiency,
		rep.Ideal.Round(time.Microsecond), chunks(rep.Chunks))
	if rep.Retried > 0 || rep.LostItems > 0 {
		fmt.Fprintf(&b, ", %d again after failures (%d items)", rep.Retried, rep.LostItems)
	}
	if rep.Shadowed > 0 {
		fmt.Fprintf(&b, ", %d compared", rep.Shadowed)
	}
	if rep.Speculated > 0 {
		fmt.Fprintf(&b, ", %d tried twice because they were late", rep.Speculated)
	}
	fmt.Fprintf(&b, "\nlost: overhead %.1f %%, start %.1f %%, idle %.1f %%, tail %.1f %%, failures %.1f %%",
		100*rep.Loss.Overhead, 100*rep.Loss.Start, 100*rep.Loss.Idle, 100*rep.Loss.Tail, 100*rep.Loss.Lost)
	for _, d := range rep.Devices {
		fmt.Fprintf(&b, "\n%-24s %5.1f %%  %10.4g items/s  busy %v, %s", d.Name, 100*d.Share, d.Rate, d.Busy.Round(time.Microsecond), chunks(d.Chunks))
		if d.Why != "" {
			fmt.Fprintf(&b, "\n  %s", d.Why)
		}
	}
	return b.String()
}

// chunks is so many of them in words.
func chunks(n int) string {
	if n == 1 {
		return "1 chunk"
	}
	return fmt.Sprintf("%d chunks", n)
}
