// Package timeline reads the traces of package trace and draws them: as a page for a browser, as a picture, and as a few
// lines of text.
package timeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// Timeline is a trace that was read: devices with lanes of spans, in the order of their numbers.
type Timeline struct {
	Devices []Device
	// End is when the last span ends.
	End time.Duration
}

// Device is a device with its lanes.
type Device struct {
	Name  string
	Lanes []Lane
	// Marks are what happened to the device, in order of time.
	Marks []Mark
	// Busy is how long at least one lane had a span.
	Busy time.Duration
	// Items is how many items were committed, as far as the spans tell.
	Items int
}

// Lane is one row of spans, which do not overlap.
type Lane struct {
	Name  string
	Spans []trace.Span // by start; Device and Lane are the numbers of the trace
}

// Mark is something that happened to a device, such as that it failed.
type Mark struct {
	What string
	At   time.Duration
}

// ErrFormat: text that is not a trace that this package could have written.
var ErrFormat = errors.New("not a trace")

// So many events and devices are read.
const mostEvents, mostDevices = 1 << 22, 4096

// record is an event of the file. Numbers may have fractions.
type record struct {
	Ph   string
	Name string
	Pid  float64
	Tid  float64
	Ts   float64
	Dur  float64
	Args struct {
		Name   string
		Why    string
		Lo, Hi float64
	}
}

// Read reads a trace that Recorder.WriteTo wrote, or another in the Trace Event Format that has complete spans. Errors
// wrap ErrFormat, or are those of the reader.
func Read(r io.Reader) (*Timeline, error) {
	d := json.NewDecoder(r)
	object, err := toEvents(d)
	if err != nil {
		return nil, err
	}
	b := builder{devices: map[int]*Device{}, lanes: map[[2]int]*Lane{}}
	for n := 0; d.More(); n++ {
		var e record
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("read trace: event %d: %w: %w", n, ErrFormat, err)
		}
		if n >= mostEvents {
			return nil, fmt.Errorf("read trace: %w: more than %d events", ErrFormat, mostEvents)
		}
		if err := b.add(&e); err != nil {
			return nil, fmt.Errorf("read trace: event %d: %w", n, err)
		}
	}
	_, err = d.Token() // the end of the list
	for err == nil && object && d.More() {
		var skip json.RawMessage
		if _, err = d.Token(); err == nil {
			err = d.Decode(&skip)
		}
	}
	if err == nil && object {
		_, err = d.Token()
	}
	if err != nil {
		return nil, fmt.Errorf("read trace: %w: it ends in its middle: %w", ErrFormat, err)
	}
	return b.timeline(), nil
}

// toEvents goes to the first event: into the list, or into the list "traceEvents" of an object.
func toEvents(d *json.Decoder) (object bool, err error) {
	fail := func(err error) (bool, error) { return false, fmt.Errorf("read trace: %w: %w", ErrFormat, err) }
	t, err := d.Token()
	if err != nil {
		return fail(err)
	}
	if t == json.Delim('[') {
		return false, nil
	}
	if t != json.Delim('{') {
		return fail(fmt.Errorf("it begins with %v", t))
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fail(err)
		}
		if key == "traceEvents" {
			if t, err = d.Token(); err == nil && t == json.Delim('[') {
				return true, nil
			}
			return fail(errors.New("traceEvents is not a list"))
		}
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return fail(err)
		}
	}
	return fail(errors.New("it has no traceEvents"))
}

// builder puts events in their places.
type builder struct {
	devices map[int]*Device
	lanes   map[[2]int]*Lane
}

func (b *builder) add(e *record) error {
	pid, ok1 := whole(e.Pid)
	tid, ok2 := whole(e.Tid)
	start, ok3 := micros(e.Ts)
	length, ok4 := micros(e.Dur)
	lo, ok5 := whole(e.Args.Lo)
	hi, ok6 := whole(e.Args.Hi)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || length < 0 || hi < lo {
		return fmt.Errorf("%w: a number is out of range", ErrFormat)
	}
	switch {
	case e.Ph == "M" && e.Name == "process_name":
		b.device(pid).Name = e.Args.Name
	case e.Ph == "M" && e.Name == "thread_name":
		b.lane(pid, tid).Name = e.Args.Name
	case e.Ph == "i" || e.Ph == "I":
		d := b.device(pid)
		d.Marks = append(d.Marks, Mark{e.Name, start})
	case e.Ph == "X":
		l := b.lane(pid, tid)
		kind := trace.Kind(max(slices.Index(kinds(), e.Name), 0)) // what is not known is a chunk
		l.Spans = append(l.Spans, trace.Span{Device: pid, Lane: tid, Kind: kind, Lo: lo, Hi: hi, Start: start, End: start + length, Why: e.Args.Why})
	}
	if len(b.devices) > mostDevices || len(b.lanes) > mostDevices {
		return fmt.Errorf("%w: more than %d devices or lanes", ErrFormat, mostDevices)
	}
	return nil
}

// whole is a number without fraction, as far as an int safely goes.
func whole(x float64) (int, bool) {
	return int(x), x == math.Trunc(x) && math.Abs(x) <= 1<<53
}

// micros is a time.
func micros(x float64) (time.Duration, bool) {
	return time.Duration(math.Round(x * 1e3)), math.Abs(x) <= 1e15
}

func (b *builder) device(pid int) *Device {
	d := b.devices[pid]
	if d == nil {
		d = &Device{Name: "device " + strconv.Itoa(pid)}
		b.devices[pid] = d
	}
	return d
}

func (b *builder) lane(pid, tid int) *Lane {
	b.device(pid)
	l := b.lanes[[2]int{pid, tid}]
	if l == nil {
		l = &Lane{Name: "lane " + strconv.Itoa(tid)}
		b.lanes[[2]int{pid, tid}] = l
	}
	return l
}

func (b *builder) timeline() *Timeline {
	t := &Timeline{}
	for _, pid := range sorted(b.devices, func(a, c int) int { return a - c }) {
		d := b.devices[pid]
		for _, at := range sorted(b.lanes, func(a, c [2]int) int { return slices.Compare(a[:], c[:]) }) {
			if at[0] == pid {
				l := b.lanes[at]
				slices.SortFunc(l.Spans, func(a, c trace.Span) int { return int(a.Start - c.Start) })
				d.Lanes = append(d.Lanes, *l)
			}
		}
		slices.SortFunc(d.Marks, func(a, c Mark) int { return int(a.At - c.At) })
		d.sum()
		for _, l := range d.Lanes {
			for _, s := range l.Spans {
				t.End = max(t.End, s.End)
			}
		}
		t.Devices = append(t.Devices, *d)
	}
	return t
}

func sorted[K comparable, V any](m map[K]V, order func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, order)
	return keys
}

// kinds are the names of the kinds of spans, in their order.
func kinds() (out []string) {
	for k := trace.Chunk; k <= trace.Commit; k++ {
		out = append(out, k.String())
	}
	return out
}

// sum finds out how long the device was busy, and with how many items.
func (d *Device) sum() {
	var all []trace.Span
	for _, l := range d.Lanes {
		for _, s := range l.Spans {
			all = append(all, s)
			if s.Kind == trace.Chunk || s.Kind == trace.Commit {
				d.Items += s.Hi - s.Lo
			}
		}
	}
	slices.SortFunc(all, func(a, b trace.Span) int { return int(a.Start - b.Start) })
	upto := time.Duration(math.MinInt64)
	for _, s := range all {
		if s.End > upto {
			d.Busy += s.End - max(s.Start, upto)
			upto = s.End
		}
	}
}

// Summary is a line for each device: items, share, how long it was busy.
func (t *Timeline) Summary() string {
	items := 0
	for _, d := range t.Devices {
		items += d.Items
	}
	var b strings.Builder
	for _, d := range t.Devices {
		share, busy := 0.0, 0.0
		if items > 0 {
			share = 100 * float64(d.Items) / float64(items)
		}
		if t.End > 0 {
			busy = 100 * d.Busy.Seconds() / t.End.Seconds()
		}
		fmt.Fprintf(&b, "%-28s %5.1f %% of the items, busy %v (%.1f %%)\n", d.Name, share, d.Busy.Round(time.Microsecond), busy)
		for _, m := range d.Marks {
			fmt.Fprintf(&b, "  %v: %s\n", m.At.Round(time.Microsecond), m.What)
		}
	}
	return b.String()
}
