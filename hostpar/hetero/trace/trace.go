// Package trace records what each device of a run did and when, and writes it in the Trace Event Format that Perfetto
// (ui.perfetto.dev) and Chrome open.
//
// A device is a process of the timeline, a lane a thread of it; spans of one lane do not overlap. Recording takes no
// memory per event beyond what New set aside: of a long run the newest events stay, and Dropped counts the others.
package trace

import (
	"bufio"
	"io"
	"strconv"
	"sync"
	"time"
)

// Kind is what a span shows.
type Kind uint8

// What devices do with a chunk, in order.
const (
	// Chunk is all of it, for devices that do not tell its parts.
	Chunk Kind = iota
	// Load is copying its input to the device.
	Load
	// Compute is running the kernel or the Go body.
	Compute
	// Store is copying its output back.
	Store
	// Commit is writing it to the program's memory.
	Commit
)

var kinds = [...]string{Chunk: "chunk", Load: "h2d", Compute: "kernel", Store: "d2h", Commit: "commit"}

// String returns the name of the kind in the timeline.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Span is one thing that a lane did, with the items it did it for.
type Span struct {
	Device, Lane int
	Kind         Kind
	Lo, Hi       int
	Start, End   time.Duration
	// Chunk numbers the chunk; the spans of one are joined by arrows.
	Chunk uint64
	// Why is the policy's reason for the size; it may be empty.
	Why string
}

// phase is the kind of a recorded event, as in the format.
type phase byte

const (
	span    phase = 'X'
	counter phase = 'C'
	instant phase = 'i'
)

type event struct {
	Span
	phase phase
	value float64
}

// Recorder keeps events. Its methods may be called from any goroutine; a nil Recorder records nothing.
type Recorder struct {
	mu      sync.Mutex
	ring    []event
	n       uint64 // events ever
	devices map[int]string
	lanes   map[[2]int]string
}

// New returns a recorder for so many events; below 1 it is 65536, which take about 8 MB.
func New(events int) *Recorder {
	if events < 1 {
		events = 1 << 16
	}
	return &Recorder{ring: make([]event, events), devices: map[int]string{}, lanes: map[[2]int]string{}}
}

// Name gives a device its name in the timeline.
func (r *Recorder) Name(device int, name string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.devices[device] = name
}

// NameLane gives a lane its name; without one it is "lane N".
func (r *Recorder) NameLane(device, lane int, name string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lanes[[2]int{device, lane}] = name
}

// Span records a span.
func (r *Recorder) Span(s Span) {
	if r != nil {
		r.put(event{Span: s, phase: span})
	}
}

// Count records the value of a counter of a device at a time: a line under its lanes.
func (r *Recorder) Count(device int, name string, at time.Duration, value float64) {
	if r != nil {
		r.put(event{Span: Span{Device: device, Start: at, Why: name}, phase: counter, value: value})
	}
}

// Mark records that something happened to a device, such as that it failed.
func (r *Recorder) Mark(device int, what string, at time.Duration) {
	if r != nil {
		r.put(event{Span: Span{Device: device, Start: at, Why: what}, phase: instant})
	}
}

func (r *Recorder) put(e event) {
	r.mu.Lock()
	r.ring[r.n%uint64(len(r.ring))] = e
	r.n++
	r.mu.Unlock()
}

// Dropped is how many events were overwritten by newer ones.
func (r *Recorder) Dropped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n - min(r.n, uint64(len(r.ring)))
}

// Spans returns the spans that are kept, oldest first.
func (r *Recorder) Spans() (out []Span) {
	for _, e := range r.events() {
		if e.phase == span {
			out = append(out, e.Span)
		}
	}
	return out
}

// events copies what is kept, oldest first.
func (r *Recorder) events() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := uint64(len(r.ring))
	if r.n <= size {
		return append([]event(nil), r.ring[:r.n]...)
	}
	at := r.n % size
	return append(append([]event(nil), r.ring[at:]...), r.ring[:at]...)
}

// WriteTo writes the trace as JSON. Times are in microseconds with three digits, which is nanoseconds.
func (r *Recorder) WriteTo(w io.Writer) (int64, error) {
	events := r.events()
	c := &counted{w: w}
	out := writer{bw: bufio.NewWriter(c)}
	out.raw(`{"displayTimeUnit":"ns","traceEvents":[`)
	r.names(&out, events)
	flows := map[uint64]bool{}
	for i := range events {
		out.event(&events[i])
		out.flow(&events[i], flows)
	}
	out.raw("\n]}\n")
	err := out.bw.Flush()
	return c.n, err
}

// names writes the names of devices and lanes that occur.
func (r *Recorder) names(out *writer, events []event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	devices, lanes := map[int]bool{}, map[[2]int]bool{}
	for i := range events {
		e := &events[i]
		if name, ok := r.devices[e.Device]; ok && !devices[e.Device] {
			out.meta("process_name", e.Device, 0, name)
		}
		devices[e.Device] = true
		lane := [2]int{e.Device, e.Lane}
		if e.phase == span && !lanes[lane] {
			name, ok := r.lanes[lane]
			if !ok {
				name = "lane " + strconv.Itoa(e.Lane)
			}
			out.meta("thread_name", e.Device, e.Lane, name)
			lanes[lane] = true
		}
	}
}

// writer makes JSON by hand, since a trace may have millions of events.
type writer struct {
	bw    *bufio.Writer
	buf   []byte
	comma bool
}

func (w *writer) raw(s string) { _, _ = w.bw.WriteString(s) } // bufio keeps the error for Flush

// begin starts an event's object.
func (w *writer) begin(ph byte, name string, device, lane int) {
	w.buf = w.buf[:0]
	if w.comma {
		w.buf = append(w.buf, ',')
	}
	w.comma = true
	w.buf = append(w.buf, "\n{\"ph\":\""...)
	w.buf = append(w.buf, ph)
	w.buf = append(w.buf, `","name":`...)
	w.buf = appendString(w.buf, name)
	w.buf = append(w.buf, `,"pid":`...)
	w.buf = strconv.AppendInt(w.buf, int64(device), 10)
	w.buf = append(w.buf, `,"tid":`...)
	w.buf = strconv.AppendInt(w.buf, int64(lane), 10)
}

func (w *writer) time(key string, d time.Duration) {
	w.buf = append(w.buf, ',', '"')
	w.buf = append(w.buf, key...)
	w.buf = append(w.buf, `":`...)
	w.buf = strconv.AppendFloat(w.buf, float64(d)/1e3, 'f', 3, 64)
}

func (w *writer) int(key string, n int) {
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, key...)
	w.buf = append(w.buf, `":`...)
	w.buf = strconv.AppendInt(w.buf, int64(n), 10)
}

func (w *writer) end() {
	w.buf = append(w.buf, '}')
	_, _ = w.bw.Write(w.buf)
}

func (w *writer) meta(what string, device, lane int, name string) {
	w.begin('M', what, device, lane)
	w.buf = append(w.buf, `,"args":{"name":`...)
	w.buf = appendString(w.buf, name)
	w.buf = append(w.buf, '}')
	w.end()
}

func (w *writer) event(e *event) {
	name := e.Why
	if e.phase == span {
		name = e.Kind.String()
	}
	w.begin(byte(e.phase), name, e.Device, e.Lane)
	w.time("ts", e.Start)
	switch e.phase {
	case span:
		w.time("dur", e.End-e.Start)
		w.buf = append(w.buf, `,"args":{`...)
		w.int("lo", e.Lo)
		w.buf = append(w.buf, ',')
		w.int("hi", e.Hi)
		w.buf = append(w.buf, ',')
		w.int("items", e.Hi-e.Lo)
		if e.Why != "" {
			w.buf = append(w.buf, `,"why":`...)
			w.buf = appendString(w.buf, e.Why)
		}
		w.buf = append(w.buf, '}')
	case counter:
		w.buf = append(w.buf, `,"args":{"value":`...)
		w.buf = strconv.AppendFloat(w.buf, e.value, 'g', 6, 64)
		w.buf = append(w.buf, '}')
	case instant:
		w.buf = append(w.buf, `,"s":"p"`...)
	}
	w.end()
}

// flow joins the spans of a chunk: begun by its first one, continued by the others.
func (w *writer) flow(e *event, begun map[uint64]bool) {
	if e.phase != span || e.Kind == Chunk {
		return
	}
	ph := byte('t')
	if !begun[e.Chunk] {
		ph, begun[e.Chunk] = 's', true
	}
	if e.Kind == Commit {
		delete(begun, e.Chunk)
	}
	w.begin(ph, "chunk", e.Device, e.Lane)
	w.buf = append(w.buf, `,"cat":"chunk","id":`...)
	w.buf = strconv.AppendUint(w.buf, e.Chunk, 10)
	w.time("ts", e.Start)
	w.end()
}

// appendString appends s as a JSON string. Bytes that are not valid UTF-8 become the replacement character.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c < 0x20:
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, string(c)...)
		}
	}
	return append(b, '"')
}

type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
