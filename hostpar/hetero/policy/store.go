package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Store keeps on disk what runs learned of a kernel on a device, one small file for each pair. Its methods may be called
// from any goroutine and process; of two processes that save at the same time, one wins. A file is read once, and written
// at most once a second, so that a run does not wait for a disk. Nothing that is in a file, or is not, is an error for
// Load: a store is a hint, which a confirming chunk checks.
type Store struct {
	dir string

	mu    sync.Mutex
	known map[string]*entry // guarded by mu, by path
}

// entry is a model in memory.
type entry struct {
	model
	dirty   bool
	written time.Time
}

// NewStore returns the store in a folder, which is made when first needed. An empty name is the user's cache folder; where
// there is none, the store is always empty and Save fails.
func NewStore(dir string) *Store {
	if dir == "" {
		if cache, err := os.UserCacheDir(); err == nil {
			dir = filepath.Join(cache, "tandem", "hetero", "v1")
		}
	}
	return &Store{dir: dir, known: map[string]*entry{}}
}

// Fit is what earlier runs of about the same size left.
type Fit struct {
	// Rate is in items a second, Overhead for a chunk.
	Rate     float64       `json:"rate"`
	Overhead time.Duration `json:"overhead_ns"`
	// Spread is the mean relative deviation of recent runs from Rate; Weight is how many runs speak, older ones less.
	Spread float64 `json:"spread"`
	Weight float64 `json:"weight"`
	// Last is when the last one ended.
	Last time.Time `json:"last"`
	// Seen is the largest chunk that the rate comes from, in items.
	Seen int `json:"seen,omitempty"`
	// Recent are the last runs, the newest first; runs that there were not have no rate.
	Recent [5]Sample `json:"recent"`
	// Cost is how much longer, in runs, those took with the device than they would have without it, while it was not Trusted.
	Cost float64 `json:"cost,omitempty"`
	// Unused is how many runs have left the device out since, Patience after how many of them it is tried again, unless
	// trying it costs little.
	Unused   int `json:"unused,omitempty"`
	Patience int `json:"patience,omitempty"`
}

// Sample is what one run said of a device: its rate in items a second, and the largest chunk that it comes from.
type Sample struct {
	Rate float64 `json:"rate"`
	Seen int     `json:"seen"`
}

// A device that got nothing because of what is known of it is tried again, for it may have been measured when the machine
// had other work: after so many runs first, and after twice as many each time that it is of no use again, but as soon as
// trying it costs no more than this part of the time, and after so many at most.
const (
	firstPatience = 4
	mostPatience  = 64
	tryCost       = 0.01
)

// Skip is the fit after a run that left the device out because of it.
func (f Fit) Skip() Fit {
	if !f.valid() {
		return f
	}
	wait := max(min(float64(f.Patience), f.Cost/tryCost), firstPatience)
	if f.Unused++; float64(f.Unused) < wait {
		return f
	}
	return Fit{Patience: int(min(2*wait, mostPatience))}
}

const (
	// halfLife is the age at which a run counts half: drivers are updated, machines are moved.
	halfLife = 30 * 24 * time.Hour
	// enough runs whose spread is at most this make a Fit trusted.
	enough, steady = 2.9, 0.20
)

// Trusted reports whether a short job may be divided by the fit without a trial.
func (f Fit) Trusted() bool { return f.Weight >= enough && f.Spread < steady }

// model is a file. Fits are by the logarithm of the number of items, because caches make speed depend on size.
type model struct {
	Schema int         `json:"schema"`
	Kernel string      `json:"kernel"`
	Device string      `json:"device"`
	Fits   map[int]Fit `json:"fits"`
}

const schema = 2

// Load returns what is known of a kernel, by the hash of its code, on a device, for jobs of about so many items. Where
// only other sizes are known, it is the nearest one's, not trusted, and without Seen. A fit whose age has worn out is unknown.
func (s *Store) Load(kernel [32]byte, device string, items int, now time.Time) (f Fit, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.entry(kernel, device)
	want, found := bucket(items), 0
	for b, g := range m.Fits {
		if !g.valid() {
			continue
		}
		if d := distance(b, want) - distance(found, want); !ok || d < 0 || d == 0 && b < found {
			f, found, ok = g, b, true
		}
	}
	if !ok {
		return Fit{}, false
	}
	f.Weight *= decay(now.Sub(f.Last))
	if found != want {
		f.Weight, f.Seen = min(f.Weight, 1), 0
	}
	return f, f.Weight > 0.05
}

// Save adds one run, a Fit with Rate, Overhead and Seen, which ended now.
func (s *Store) Save(kernel [32]byte, device string, items int, run Fit, now time.Time) error {
	run.Weight, run.Last = 1, now
	if !run.valid() {
		return fmt.Errorf("save model of %s: a rate of %v items a second", device, run.Rate)
	}
	return s.change(kernel, device, items, now, func(f Fit) Fit { return f.Add(run) })
}

// Skip notes a run that left a device out because of what is known of it.
func (s *Store) Skip(kernel [32]byte, device string, items int, now time.Time) error {
	return s.change(kernel, device, items, now, Fit.Skip)
}

// change replaces the fit of a size.
func (s *Store) change(kernel [32]byte, device string, items int, now time.Time, f func(Fit) Fit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.entry(kernel, device)
	b := bucket(items)
	old := m.Fits[b]
	fit := f(old)
	if fit == old {
		return nil
	}
	m.Fits[b] = fit
	m.dirty = true
	if since := now.Sub(m.written); since >= 0 && since < time.Second {
		return nil
	}
	return s.flush(s.path(kernel, device), m, now)
}

// Flush writes what was learned since it was last written.
func (s *Store) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for path, m := range s.known {
		if m.dirty {
			errs = append(errs, s.flush(path, m, m.written))
		}
	}
	return errors.Join(errs...)
}

func (s *Store) flush(path string, m *entry, now time.Time) error {
	m.written = now // also if it fails: it is tried again in a second
	err := s.write(path, &m.model)
	m.dirty = err != nil
	return err
}

// entry is what is known of a kernel on a device, by memory or file. Called with mu held.
func (s *Store) entry(kernel [32]byte, device string) *entry {
	path := s.path(kernel, device)
	if m := s.known[path]; m != nil {
		return m
	}
	m := &entry{}
	var err error
	if m.model, err = s.read(kernel, device); err != nil {
		m.model = model{Schema: schema, Kernel: hex.EncodeToString(kernel[:]), Device: device, Fits: map[int]Fit{}}
	}
	s.known[path] = m
	return m
}

// Add is the fit with one more run, or the run if there was none.
func (f Fit) Add(run Fit) Fit {
	if !f.valid() {
		f = Fit{Patience: f.Patience}
	}
	weight := min(f.Weight*decay(run.Last.Sub(f.Last)), 8)
	out := Fit{Weight: weight + run.Weight, Last: run.Last, Cost: f.Cost + run.Cost, Patience: f.Patience}
	out.Overhead = time.Duration((weight*float64(f.Overhead) + run.Weight*float64(run.Overhead)) / out.Weight)
	out.Recent[0] = Sample{Rate: run.Rate, Seen: run.Seen}
	copy(out.Recent[1:], f.Recent[:])
	out.settle()
	if out.Trusted() {
		out.Cost, out.Patience = 0, 0
	}
	return out
}

// settle makes Rate, Spread and Seen of the recent runs. The rate is the median, so that two runs of five in which the
// machine did something else say nothing, and three in which it is another machine say all. The rate of a small chunk is
// mostly overhead: runs whose chunks were less than half of the largest do not count.
func (f *Fit) settle() {
	f.Seen = 0
	for _, s := range f.Recent {
		if s.Rate > 0 {
			f.Seen = max(f.Seen, s.Seen)
		}
	}
	var room [len(f.Recent)]float64
	rates := room[:0]
	for _, s := range f.Recent {
		if s.Rate > 0 && 2*s.Seen >= f.Seen {
			rates = append(rates, s.Rate)
		}
	}
	f.Rate = rates[0]
	if n := len(rates); n != 2 || !far(rates[0]/rates[1]) { // of two that disagree, the first may have paid for first use
		slices.Sort(rates)
		f.Rate = (rates[(n-1)/2] + rates[n/2]) / 2
	}
	f.Spread = 0
	for _, r := range rates {
		f.Spread += math.Abs(r/f.Rate-1) / float64(len(rates))
	}
}

// valid reports whether a fit read from a file can be used.
func (f Fit) valid() bool {
	for _, s := range f.Recent {
		if s.Rate < 0 || math.IsInf(s.Rate, 0) || s.Seen < 0 {
			return false
		}
	}
	return f.Rate > 0 && !math.IsInf(f.Rate, 0) && f.Overhead >= 0 && f.Spread >= 0 && f.Weight >= 0 && f.Seen >= 0
}

// decay is the weight of something of this age. What comes from the future is new.
func decay(age time.Duration) float64 {
	return math.Exp2(-max(age, 0).Hours() / halfLife.Hours())
}

// bucket is the size class of a job.
func bucket(items int) int { return bits.Len(uint(max(items, 0))) }

func distance(a, b int) int { return max(a-b, b-a) }

// path is the file of a kernel on a device, whose name may hold anything.
func (s *Store) path(kernel [32]byte, device string) string {
	d := sha256.Sum256([]byte(device))
	return filepath.Join(s.dir, hex.EncodeToString(kernel[:8]), hex.EncodeToString(d[:8])+".json")
}

// read reads a model that is for just this kernel and device.
func (s *Store) read(kernel [32]byte, device string) (m model, err error) {
	if s.dir == "" {
		return m, os.ErrNotExist
	}
	text, err := os.ReadFile(s.path(kernel, device))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return model{}, err
	}
	if m.Schema != schema || m.Kernel != hex.EncodeToString(kernel[:]) || m.Device != device || m.Fits == nil {
		return model{}, os.ErrInvalid
	}
	return m, nil
}

// write puts the model in place at once, so that a reader finds the old one or the new one.
func (s *Store) write(path string, m *model) error {
	fail := func(err error) error { return fmt.Errorf("save model of %s: %w", m.Device, err) }
	if s.dir == "" {
		return fail(os.ErrNotExist)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fail(err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new*")
	if err != nil {
		return fail(err)
	}
	_, err = f.Write(text)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fail(err)
	}
	return nil
}
