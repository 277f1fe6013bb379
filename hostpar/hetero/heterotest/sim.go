// Package heterotest runs scheduling policies in virtual time: devices with programmed speeds, noise, drift, failures and
// hangs, a job, and a clock that jumps from event to event. A run takes microseconds and needs neither cores nor GPUs, so
// balance can be tested where there is nothing to balance.
//
// It executes the policies of package policy themselves, with the State that the scheduler uses. Limits of the model: no
// contention for memory, exact overheads, one chunk at a time for each device.
package heterotest

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

// Device is a simulated device.
type Device struct {
	// Rate is its speed in units of cost a second. RateAt, if not nil, is the speed at a time instead.
	Rate   float64
	RateAt func(t time.Duration) float64
	// Overhead is what each chunk costs whatever its size, Align what sizes are a multiple of.
	Overhead time.Duration
	Align    int
	// FailAt, if not 0, is when the device fails: the chunk under way is lost, and so is the device.
	FailAt time.Duration
	// HangAt, if not 0, is when the device stops to work without telling.
	HangAt time.Duration
	// Power is told to the policy; see policy.Device. Guess, if not 0, is the rate that an earlier run left, Trusted
	// whether it is said to be reliable, and Seen the largest chunk that it comes from.
	Power   float64
	Guess   float64
	Trusted bool
	Seen    int
	MinGain float64
}

// Job is what to simulate.
type Job struct {
	// Items is the number of items. Cost, if not nil, is the cost of the items before x, and grows with x; else each
	// item costs 1.
	Items int
	Cost  func(x float64) float64
	// Noise is the standard deviation of the logarithm of a factor on each chunk's time; Seed makes it.
	Noise float64
	Seed  uint64
	// HangFactor times the predicted time of a chunk, but at least HangFloor, is when a device counts as hung. Zero values
	// are 4 and 20 ms.
	HangFactor float64
	HangFloor  time.Duration
	Policy     policy.Policy
	// Trace, if not nil, is told every chunk that ended.
	Trace func(Chunk)
}

// Chunk is one chunk of a simulated run.
type Chunk struct {
	Device     int
	Lo, Hi     int
	Start, End time.Duration
	OK         bool
	Why        policy.Reason
}

// Result is what came out.
type Result struct {
	// Makespan is when the last item was done, Ideal when it could have been: the integral of the speeds of all working
	// devices reaches the cost of the job, without overheads.
	Makespan, Ideal time.Duration
	// Chunks counts chunks, Lost the items of failed ones.
	Chunks, Lost int
	// Items are the items done by each device, Why the last reason for which it got nothing.
	Items []int
	Why   []policy.Reason
	// State is the snapshot at the end.
	State policy.State
}

// Ratio is Makespan over Ideal: 1 is perfect.
func (r Result) Ratio() float64 { return r.Makespan.Seconds() / r.Ideal.Seconds() }

// Run simulates the job. The devices ask in their order. The error tells that all devices were lost, or that the policy
// broke its contract.
func Run(j Job, devices ...Device) (Result, error) {
	s := newSim(&j, devices)
	for i := range devices {
		s.dispatch(i)
	}
	for {
		if s.queue.Len() == 0 {
			if err := s.force(); err != nil {
				return s.result, err
			}
			if s.queue.Len() == 0 {
				break
			}
		}
		s.finish(heap.Pop(&s.queue).(event))
		if s.err != nil {
			return s.result, s.err
		}
	}
	s.result.State = s.state
	return s.result, nil
}

type sim struct {
	job     *Job
	devices []Device
	state   policy.State
	queue   events
	fresh   int      // the first item nobody was given
	back    [][2]int // ranges given back
	seq     uint64
	noise   *rand.Rand
	result  Result
	err     error
}

// event is the end of a chunk.
type event struct {
	Chunk
	id uint64
}

func newSim(j *Job, devices []Device) *sim {
	s := &sim{job: j, devices: devices, noise: rand.New(rand.NewPCG(j.Seed, 0x9e3779b97f4a7c15))}
	s.state.Total, s.state.Remaining = j.Items, j.Items
	for _, d := range devices {
		s.state.Devices = append(s.state.Devices, policy.Device{
			Rate: d.Guess, Trusted: d.Trusted, Seen: d.Seen, Overhead: d.Overhead, Align: d.Align, Power: d.Power, MinGain: d.MinGain,
		})
	}
	s.result.Items = make([]int, len(devices))
	s.result.Why = make([]policy.Reason, len(devices))
	s.result.Ideal = ideal(j, devices)
	return s
}

// dispatch asks the policy for device i, which is idle.
func (s *sim) dispatch(i int) {
	if s.state.Remaining == 0 || s.err != nil {
		return
	}
	n, why := s.job.Policy.Next(&s.state, i)
	if n < 0 || n > s.state.Remaining || n > 0 && why >= policy.Parked || n == 0 && why < policy.Parked {
		s.err = fmt.Errorf("policy gave device %d %d of %d items, reason %v", i, n, s.state.Remaining, why)
		return
	}
	if n == 0 {
		s.result.Why[i] = why
		return
	}
	lo, hi := s.take(n)
	s.seq++
	s.state.Issue(i, s.seq, hi-lo)
	s.result.Chunks++
	heap.Push(&s.queue, s.run(i, lo, hi, why))
}

// take cuts at most n items off what was given back, or off the rest.
func (s *sim) take(n int) (lo, hi int) {
	if k := len(s.back) - 1; k >= 0 {
		r := &s.back[k]
		lo, hi = r[0], min(r[0]+n, r[1])
		if r[0] = hi; hi == r[1] {
			s.back = s.back[:k]
		}
		return lo, hi
	}
	lo = s.fresh
	s.fresh += n
	return lo, s.fresh
}

// run is the end of a chunk that begins now.
func (s *sim) run(i, lo, hi int, why policy.Reason) event {
	d, now := &s.devices[i], s.state.Now
	cost := s.job.cost(lo, hi)
	if s.job.Noise > 0 {
		cost *= math.Exp(s.job.Noise * s.noise.NormFloat64())
	}
	end := d.work(now+d.Overhead, cost)
	e := event{id: s.seq, Chunk: Chunk{Device: i, Lo: lo, Hi: hi, Start: now, End: end, OK: true, Why: why}}
	switch {
	case d.FailAt > 0 && end > d.FailAt:
		e.OK, e.End = false, max(now+d.Overhead, d.FailAt)
	case d.HangAt > 0 && end > d.HangAt:
		predicted, ok := s.state.Predict(i, hi-lo)
		if !ok {
			predicted = 50 * time.Millisecond
		}
		e.OK, e.End = false, now+max(time.Duration(s.job.hangFactor()*float64(predicted)), s.job.hangFloor())
	}
	return e
}

func (s *sim) finish(e event) {
	s.state.Now = e.End
	if e.OK {
		s.state.Finish(e.Device, e.id)
		s.result.Items[e.Device] += e.Hi - e.Lo
		s.result.Makespan = e.End
	} else {
		s.state.Drop(e.Device, e.id)
		s.state.Devices[e.Device].Dead = true
		s.back = append(s.back, [2]int{e.Lo, e.Hi})
		s.result.Lost += e.Hi - e.Lo
	}
	if s.job.Trace != nil {
		s.job.Trace(e.Chunk)
	}
	s.dispatch(e.Device)
	for i := range s.devices {
		if d := &s.state.Devices[i]; !d.Dead && len(d.Flights) == 0 {
			s.dispatch(i)
		}
	}
}

// force is called when nobody works.
func (s *sim) force() error {
	if s.state.Remaining == 0 {
		return nil
	}
	s.state.Force = true
	defer func() { s.state.Force = false }()
	for i := range s.devices {
		if !s.state.Devices[i].Dead {
			if s.dispatch(i); s.queue.Len() > 0 || s.err != nil {
				return s.err
			}
		}
	}
	return fmt.Errorf("%d of %d items left and no device takes them", s.state.Remaining, s.state.Total)
}

// step is how finely speeds that change are integrated.
const step = 250 * time.Microsecond

// work is when the device has done so much, beginning at t.
func (d *Device) work(t time.Duration, cost float64) time.Duration {
	if d.RateAt == nil {
		return t + time.Duration(math.Round(cost/d.Rate*1e9))
	}
	for cost > 1e-9 {
		rate := d.RateAt(t)
		dt := min(step, time.Duration(math.Ceil(cost/rate*1e9)))
		cost -= rate * dt.Seconds()
		t += dt
	}
	return t
}

// ideal integrates the speeds of the devices that work until the job's cost is reached.
func ideal(j *Job, devices []Device) time.Duration {
	left, t := j.cost(0, j.Items), time.Duration(0)
	fine := time.Duration(1)
	if sum := speed(devices, 0); sum > 0 {
		fine = max(time.Duration(left/sum*1e9)/10000, 1)
	}
	for range 10_000_000 {
		rate := speed(devices, t)
		if rate*fine.Seconds() >= left {
			return t + time.Duration(left/rate*1e9)
		}
		left -= rate * fine.Seconds()
		t += fine
	}
	return t
}

// speed is the sum of the speeds of the devices that work at t.
func speed(devices []Device, t time.Duration) (sum float64) {
	for i := range devices {
		d := &devices[i]
		if d.FailAt > 0 && t >= d.FailAt || d.HangAt > 0 && t >= d.HangAt {
			continue
		}
		if d.RateAt != nil {
			sum += d.RateAt(t)
		} else {
			sum += d.Rate
		}
	}
	return sum
}

func (j *Job) cost(lo, hi int) float64 {
	if j.Cost == nil {
		return float64(hi - lo)
	}
	return j.Cost(float64(hi)) - j.Cost(float64(lo))
}

func (j *Job) hangFactor() float64 {
	if j.HangFactor > 0 {
		return j.HangFactor
	}
	return 4
}

func (j *Job) hangFloor() time.Duration {
	if j.HangFloor > 0 {
		return j.HangFloor
	}
	return 20 * time.Millisecond
}

// events is a heap by end, then by order of issue.
type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(a, b int) bool {
	return q[a].End < q[b].End || q[a].End == q[b].End && q[a].id < q[b].id
}
func (q events) Swap(a, b int) { q[a], q[b] = q[b], q[a] }

// Push and Pop are for container/heap.
func (q *events) Push(e any) { *q = append(*q, e.(event)) }

// Pop removes the last element.
func (q *events) Pop() any {
	e := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return e
}
