package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// DecisionLog is what a policy decided in a run and what came of it, in order. By Replay the same chunks are given to the
// same devices in the same order, on these devices, on others, or in virtual time; by Check any policy is asked again what
// it was asked then. The zero value is empty. It is written by one run; its methods may be called from any goroutine.
type DecisionLog struct {
	mu    sync.Mutex
	begin record // guarded by mu
}

// record is a log as it stands in a file.
type record struct {
	Schema  int      `json:"schema"`
	Total   int      `json:"total"`
	Devices []Device `json:"devices"`
	Events  []Event  `json:"events"`
}

const logSchema = 1

// EventKind is what happened.
type EventKind uint8

const (
	// Issued: the device was given N items.
	Issued EventKind = iota
	// Finished: it has done the chunk.
	Finished
	// Dropped: the chunk was taken back, undone.
	Dropped
	// Out: the device gets no more.
	Out
)

// Event is one entry of a log.
type Event struct {
	Kind   EventKind     `json:"kind"`
	At     time.Duration `json:"at"`
	Device int           `json:"device"`
	// Chunk is the chunk's number, N the policy's answer, Size what the device was given, since nobody can divide every
	// range as finely as an answer, and Why the reason. Remaining and Forced are the state's when the policy was asked.
	Chunk     uint64 `json:"chunk,omitempty"`
	N         int    `json:"n,omitempty"`
	Size      int    `json:"size,omitempty"`
	Why       Reason `json:"why,omitempty"`
	Remaining int    `json:"remaining,omitempty"`
	Forced    bool   `json:"forced,omitempty"`
}

// Begin empties the log and notes the state before the first decision.
func (l *DecisionLog) Begin(s *State) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begin = record{Schema: logSchema, Total: s.Total, Devices: append([]Device(nil), s.Devices...)}
}

// Add notes an event.
func (l *DecisionLog) Add(e Event) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begin.Events = append(l.begin.Events, e)
}

// Total is how many items the run had.
func (l *DecisionLog) Total() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begin.Total
}

// Devices is how many devices the run had.
func (l *DecisionLog) Devices() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.begin.Devices)
}

// Events returns a copy of the events.
func (l *DecisionLog) Events() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Event(nil), l.begin.Events...)
}

// WriteTo writes the log as JSON.
func (l *DecisionLog) WriteTo(w io.Writer) (int64, error) {
	l.mu.Lock()
	text, err := json.Marshal(&l.begin)
	l.mu.Unlock()
	if err != nil {
		return 0, fmt.Errorf("write decisions: %w", err)
	}
	n, err := w.Write(append(text, '\n'))
	if err != nil {
		err = fmt.Errorf("write decisions: %w", err)
	}
	return int64(n), err
}

// ErrLog: text that is not a log of decisions.
var ErrLog = errors.New("not a log of decisions")

// ReadDecisions reads what WriteTo wrote. What cannot be a run wraps ErrLog.
func ReadDecisions(r io.Reader) (*DecisionLog, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	l := &DecisionLog{}
	if err := json.Unmarshal(text, &l.begin); err != nil {
		return nil, fmt.Errorf("read decisions: %w: %w", ErrLog, err)
	}
	if err := l.begin.check(); err != nil {
		return nil, fmt.Errorf("read decisions: %w: %w", ErrLog, err)
	}
	return l, nil
}

// check reports what no run can have said.
func (b *record) check() error {
	if b.Schema != logSchema || b.Total < 1 || len(b.Devices) == 0 {
		return fmt.Errorf("schema %d, %d items, %d devices", b.Schema, b.Total, len(b.Devices))
	}
	for i, e := range b.Events {
		if e.Kind > Out || e.Device < 0 || e.Device >= len(b.Devices) || e.At < 0 || e.N < 0 ||
			e.Kind == Issued && (e.Size < 1 || e.Size > b.Total || e.N == 0 && e.Why != Guess) {
			return fmt.Errorf("event %d of %d: kind %d, device %d, %d items at %v", i, len(b.Events), e.Kind, e.Device, e.Size, e.At)
		}
	}
	return nil
}

// Check asks a policy at each decision of the log again, in the state that the log leads to, and returns how many it
// asked. The error tells the first answer that differs: there is none if the log is of the same policy.
func (l *DecisionLog) Check(p Policy) (asked int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := State{Total: l.begin.Total, Remaining: l.begin.Total, Devices: append([]Device(nil), l.begin.Devices...)}
	for i := range s.Devices {
		s.Devices[i].Flights = nil
	}
	for i, e := range l.begin.Events {
		s.Now = e.At
		switch e.Kind {
		case Issued:
			s.Remaining, s.Force = e.Remaining, e.Forced
			if e.Why != Guess { // that is the scheduler's
				asked++
				if n, why := p.Next(&s, e.Device); n != e.N || why != e.Why {
					return asked, fmt.Errorf("decision %d, event %d at %v: device %d gets %d items (%v), and got %d (%v)", asked, i, e.At, e.Device, n, why, e.N, e.Why)
				}
			}
			s.Force = false
			s.Issue(e.Device, e.Chunk, e.Size)
		case Finished:
			s.Finish(e.Device, e.Chunk)
		case Dropped:
			s.Drop(e.Device, e.Chunk)
		case Out:
			s.Devices[e.Device].Dead = true
		}
	}
	return asked, nil
}

// Replay gives each device the chunks that it got in the log, in the log's order. Chunks of a device that is lost, and what
// the log leaves over, go to whoever asks. It needs the log's number of devices; of more, the others get nothing unless all
// of those are lost. The log must not be written any more.
func Replay(l *DecisionLog) Policy {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &replay{chunks: make([][]chunkOf, len(l.begin.Devices))}
	for i, e := range l.begin.Events {
		if e.Kind == Issued && e.Why != Guess {
			p.chunks[e.Device] = append(p.chunks[e.Device], chunkOf{at: i, n: e.N, why: e.Why})
		}
	}
	return p
}

// replay is Replay. What was given out tells where in the log a run is, so it needs no memory.
type replay struct{ chunks [][]chunkOf }

// chunkOf is a chunk of a device, and its place in the log.
type chunkOf struct {
	at, n int
	why   Reason
}

func (p *replay) Next(s *State, d int) (int, Reason) {
	dev := &s.Devices[d]
	if why := s.closed(dev); why != Share {
		return 0, why
	}
	own := p.chunk(s, d)
	if own == nil {
		for i := range s.Devices {
			if c := p.chunk(s, i); c != nil && !s.Devices[i].Dead && !s.Force {
				return 0, Reserved
			}
		}
		return s.Remaining, Forced
	}
	for i := range s.Devices {
		if c := p.chunk(s, i); c != nil && !s.Devices[i].Dead && c.at < own.at && !s.Force {
			return 0, Reserved
		}
	}
	return min(own.n, s.Remaining), own.why
}

// chunk is the next chunk of a device in the log, nil if there is none.
func (p *replay) chunk(s *State, d int) *chunkOf {
	if d >= len(p.chunks) || s.Devices[d].Issued >= len(p.chunks[d]) {
		return nil
	}
	return &p.chunks[d][s.Devices[d].Issued]
}
