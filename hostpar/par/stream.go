package par

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
)

// StreamConfig says how Stream works. The zero value is good for most.
type StreamConfig struct {
	// Workers is how many goroutines call the function; below 1 it is runtime.GOMAXPROCS(0).
	Workers int
	// Ahead is how many items may be taken from the input beyond those whose results were yielded; it bounds memory
	// when one item is slow. Below 1 it is twice the number of workers; it is never less than the number of workers.
	Ahead int
	// Unordered yields results as they come instead of in the order of the input.
	Unordered bool
}

func (c StreamConfig) filled() StreamConfig {
	if c.Workers < 1 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Ahead < 1 {
		c.Ahead = 2 * c.Workers
	}
	c.Ahead = max(c.Ahead, c.Workers)
	return c
}

// Stream calls fn for each element of in, on several goroutines, and yields the results. The input may be endless: it
// is read ahead by no more than cfg.Ahead elements. Nothing happens before the result is ranged over; each range is a
// run of its own.
//
// An error of fn is yielded as an *ItemError in the place of its item, with the zero Out, and the stream goes on; leave
// the range to stop. A panic in fn or in is re-raised by the range statement, at once. If ctx ends, context.Cause(ctx)
// is yielded as the last error.
//
// in runs on a goroutine of its own. When the range ends, Stream cancels the context of fn and waits for all goroutines;
// so an in that waits should watch a context. If ctx ends before in was found to have ended, that is reported even if all
// its elements were yielded.
func Stream[In, Out any](ctx context.Context, in iter.Seq[In], cfg StreamConfig, fn func(ctx context.Context, x In) (Out, error)) iter.Seq2[Out, error] {
	cfg = cfg.filled()
	return func(yield func(Out, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		s := &stream[In, Out]{
			fn:     fn,
			work:   make(chan item[In]),
			done:   make(chan result[Out], cfg.Ahead+1), // no send blocks: at most Ahead items are under way, and one panic of in
			tokens: make(chan struct{}, cfg.Ahead),
		}
		defer func() {
			cancel()
			s.all.Wait()
		}()
		s.all.Add(1 + cfg.Workers)
		s.running.Store(int64(1 + cfg.Workers))
		go s.feed(inner, in)
		for range cfg.Workers {
			go s.serve(inner)
		}
		complete := s.drain(cfg, yield)
		if complete && s.cut.Load() {
			var zero Out
			yield(zero, context.Cause(ctx))
		}
	}
}

type item[In any] struct {
	index int
	x     In
}

// result is what became of an item, or, with index -1, of the input.
type result[Out any] struct {
	index int
	y     Out
	err   error // a *PanicError that is no Goexit is to be re-raised
}

// stream is one run: feeder -> work -> workers -> done -> consumer. A token is taken before an element is taken from
// the input and given back after its result was yielded.
type stream[In, Out any] struct {
	fn      func(ctx context.Context, x In) (Out, error)
	work    chan item[In]
	done    chan result[Out]
	tokens  chan struct{}
	cut     atomic.Bool    // the context ended before the input did
	running atomic.Int64   // feeder and workers; the last one closes done
	all     sync.WaitGroup // the same, until they have ended
}

func (s *stream[In, Out]) leave() {
	if s.running.Add(-1) == 0 {
		close(s.done)
	}
	s.all.Done()
}

// feed hands the input's elements to the workers.
func (s *stream[In, Out]) feed(ctx context.Context, in iter.Seq[In]) {
	defer s.leave()
	defer close(s.work)
	returned := false
	defer func() {
		if !returned {
			s.done <- result[Out]{index: -1, err: caught(recover())}
		}
	}()
	if s.token(ctx) {
		index := 0
		for x := range in {
			select {
			case s.work <- item[In]{index, x}:
			case <-ctx.Done():
				s.cut.Store(true)
			}
			index++
			if s.cut.Load() || !s.token(ctx) {
				break
			}
		}
	}
	returned = true
}

func (s *stream[In, Out]) token(ctx context.Context) bool {
	select {
	case s.tokens <- struct{}{}:
		if ctx.Err() == nil {
			return true
		}
	case <-ctx.Done():
	}
	s.cut.Store(true)
	return false
}

// serve calls fn for items. A Goexit in fn ends the goroutine, so another takes its place.
func (s *stream[In, Out]) serve(ctx context.Context) {
	index, returned := 0, false
	defer func() {
		if returned {
			s.leave()
			return
		}
		s.done <- result[Out]{index: index, err: caught(recover())}
		go s.serve(ctx)
	}()
	for it := range s.work {
		index = it.index
		y, err := s.fn(ctx, it.x)
		if err != nil {
			var zero Out
			y = zero
		}
		s.done <- result[Out]{index, y, err}
	}
	returned = true
}

// drain yields results until there are no more (then it returns true) or the consumer leaves.
func (s *stream[In, Out]) drain(cfg StreamConfig, yield func(Out, error) bool) bool {
	type slot struct {
		result[Out]
		full bool
	}
	ring := make([]slot, cfg.Ahead) // Indexes under way span less than Ahead, as each holds a token.
	next := 0
	for r := range s.done {
		if p, ok := r.err.(*PanicError); ok && !p.exited() {
			panic(p)
		}
		if r.index < 0 { // in called Goexit
			return yield(r.y, r.err)
		}
		if r.err != nil {
			r.err = &ItemError{Index: r.index, Err: r.err}
		}
		if cfg.Unordered {
			if !yield(r.y, r.err) {
				return false
			}
			<-s.tokens
			continue
		}
		ring[r.index%cfg.Ahead] = slot{r, true}
		for at := &ring[next%cfg.Ahead]; at.full; at = &ring[next%cfg.Ahead] {
			r := at.result
			*at = slot{}
			next++
			if !yield(r.y, r.err) {
				return false
			}
			<-s.tokens
		}
	}
	return true
}
