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
	// Spread is the mean relative deviation of runs from Rate; Weight is how many runs speak, older ones less.
	Spread float64 `json:"spread"`
	Weight float64 `json:"weight"`
	// Last is when the last one ended.
	Last time.Time `json:"last"`
	// Seen is the largest chunk that the rate comes from, in items.
	Seen int `json:"seen,omitempty"`
	// Unused is how many runs have left the device out since, Patience after how many of them it is tried again.
	Unused   int `json:"unused,omitempty"`
	Patience int `json:"patience,omitempty"`
}

// A device that got nothing because of what is known of it is tried again after so many runs, first and at most: it may
// have been measured when the machine had other work. Each time it is of no use again, it waits twice as long.
const (
	firstPatience = 4
	mostPatience  = 64
)

// Skip is the fit after a run that left the device out because of it.
func (f Fit) Skip() Fit {
	if !f.valid() {
		return f
	}
	patience := max(f.Patience, firstPatience)
	if f.Unused++; f.Unused < patience {
		return f
	}
	return Fit{Patience: min(2*patience, mostPatience)}
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

const schema = 1

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

// Add is the fit with one more run, or the run if there was none. A run that is far off begins anew: the machine has
// changed. What comes from larger chunks weighs more: the rate of a small one is mostly overhead.
func (f Fit) Add(run Fit) Fit {
	if !f.valid() || far(run.Rate/f.Rate) {
		run.Patience = f.Patience
		return run
	}
	off := math.Abs(run.Rate/f.Rate - 1)
	weight := min(f.Weight*decay(run.Last.Sub(f.Last)), 8)
	w, v := weight, run.Weight
	if f.Seen > 0 && run.Seen > 0 {
		w *= min(2*float64(f.Seen)/float64(run.Seen), 1)
		v *= min(2*float64(run.Seen)/float64(f.Seen), 1)
	}
	run.Rate = (w*f.Rate + v*run.Rate) / (w + v)
	run.Overhead = time.Duration((w*float64(f.Overhead) + v*float64(run.Overhead)) / (w + v))
	run.Spread = (w*f.Spread + v*off) / (w + v)
	run.Weight, run.Seen = weight+1, max(run.Seen, f.Seen)
	if run.Patience = f.Patience; run.Trusted() {
		run.Patience = 0
	}
	return run
}

// valid reports whether a fit read from a file can be used.
func (f Fit) valid() bool {
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
