package proc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
	"github.com/tandem-go/tandem/hostpar/par"
)

// store is what a manager keeps, as bytes, by kind and name.
type store struct {
	token string

	mu     sync.Mutex // also held by Update functions
	dicts  map[string]map[string][]byte
	lists  map[string][][]byte
	queues map[string]*par.Queue[[]byte]
	locks  map[string]*heldLock
}

type heldLock struct {
	par.Mutex
	owner *session // under store.mu
}

// session is one connection.
type session struct {
	store *store
	link  *frame.Link

	mu      sync.Mutex
	cancels map[uint64]context.CancelFunc
}

// serve accepts connections until ctx ends.
func serve(ctx context.Context, l net.Listener, token string) error {
	s := &store{token: token, dicts: map[string]map[string][]byte{}, lists: map[string][][]byte{}, queues: map[string]*par.Queue[[]byte]{},
		locks: map[string]*heldLock{}}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // Accept tells
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it was to end
			}
			return fmt.Errorf("proc: manager: %w", err)
		}
		c := &session{store: s, link: frame.OverPipes(conn, conn), cancels: map[uint64]context.CancelFunc{}}
		go c.run(ctx)
	}
}

func (c *session) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = c.link.Close() }() // it is over
	f, err := c.link.Receive()
	if err != nil || f.Kind != kindHello || subtle.ConstantTimeCompare(f.Body, []byte(c.store.token)) != 1 {
		c.answer(frame.Frame{Kind: kindFailure})
		return
	}
	c.answer(frame.Frame{Kind: kindReady})
	var running sync.WaitGroup
	defer c.releaseAll()
	defer running.Wait()
	defer cancel()
	for {
		f, err := c.link.Receive()
		if err != nil {
			return
		}
		if f.Kind == kindCancel {
			c.mu.Lock()
			if cancel := c.cancels[f.ID]; cancel != nil {
				cancel()
			}
			c.mu.Unlock()
			continue
		}
		if waits(f.Body) {
			inner, cancel := context.WithCancel(ctx)
			c.mu.Lock()
			c.cancels[f.ID] = cancel
			c.mu.Unlock()
			running.Go(func() {
				c.handle(inner, f)
				c.mu.Lock()
				delete(c.cancels, f.ID)
				c.mu.Unlock()
				cancel()
			})
			continue
		}
		c.handle(ctx, f)
	}
}

// waits reports whether an operation may take long, so that others must not wait for it.
func waits(body []byte) bool {
	return len(body) > 0 && (body[0] == opQueueGet || body[0] == opLock)
}

func (c *session) answer(f frame.Frame) {
	_ = c.link.Send(f) // the reader notices errors
	_ = c.link.Flush()
}

func (c *session) handle(ctx context.Context, f frame.Frame) {
	var e codec.Encoder
	kind := byte(kindResult)
	err := par.Catch(func() error { return c.operate(ctx, f.Body, &e) }, nil)
	if err != nil {
		e.Reset()
		encodeError(&e, err)
		kind = kindFailure
	}
	c.answer(frame.Frame{Kind: kind, ID: f.ID, Body: e.Buf})
}

// operate does what a request says and appends the answer.
func (c *session) operate(ctx context.Context, body []byte, e *codec.Encoder) error {
	if len(body) == 0 {
		return codec.ErrCorrupt
	}
	d := codec.NewDecoder(body[1:], nil)
	name, err := d.String()
	if err != nil {
		return err
	}
	var args [][]byte
	for d.Len() > 0 {
		b, err := d.Bytes()
		if err != nil {
			return err
		}
		args = append(args, slices.Clone(b))
	}
	op := body[0]
	if need := [...]int{opDictGet: 1, opDictSet: 2, opDictDelete: 1, opDictUpdate: 3, opListGet: 1, opListSet: 2, opListUpdate: 2, opQueuePut: 1,
		opUnlock: 0}; int(op) >= len(need) || len(args) < need[op] {
		return codec.ErrCorrupt
	}
	switch {
	case op <= opDictUpdate:
		return c.store.dict(ctx, op, name, args, e)
	case op <= opListUpdate:
		return c.store.list(ctx, op, name, args, e)
	case op <= opQueueClose:
		return c.store.queue(ctx, op, name, args, e)
	case op == opLock:
		return c.lock(ctx, name)
	default:
		return c.unlock(name)
	}
}

func (s *store) dict(ctx context.Context, op byte, name string, args [][]byte, e *codec.Encoder) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.dicts[name]
	if m == nil {
		m = map[string][]byte{}
		s.dicts[name] = m
	}
	switch op {
	case opDictGet:
		v, ok := m[string(args[0])]
		if !ok {
			return ErrNoKey
		}
		e.Buf = append(e.Buf, v...)
	case opDictSet:
		m[string(args[0])] = args[1]
	case opDictDelete:
		delete(m, string(args[0]))
	case opDictLen:
		e.Uvarint(uint64(len(m)))
	case opDictAll:
		for k, v := range m {
			e.String(k)
			e.Bytes(v)
		}
	case opDictUpdate:
		old, ok := m[string(args[0])]
		if !ok {
			old = args[2]
		}
		v, err := apply(ctx, args[1], old)
		if err != nil {
			return err
		}
		m[string(args[0])] = v
		e.Buf = append(e.Buf, v...)
	}
	return nil
}

// apply calls a registered function with an encoded value.
func apply(ctx context.Context, name, value []byte) ([]byte, error) {
	f, err := lookup(name)
	if err != nil {
		return nil, err
	}
	b, err := f.load(codec.NewDecoder(value, nil), 1)
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	go func() { // as it may end with runtime.Goexit
		defer close(over)
		b.run(ctx, func(int) {})
	}()
	<-over
	var e codec.Encoder
	b.store(&e)
	d := codec.NewDecoder(e.Buf, nil)
	failures, err := d.Uvarint()
	if err != nil {
		return nil, err
	}
	if failures > 0 {
		if _, err := d.Uvarint(); err != nil {
			return nil, err
		}
		return nil, decodeError(d, f.name)
	}
	return d.Rest(), nil
}

func (s *store) list(ctx context.Context, op byte, name string, args [][]byte, e *codec.Encoder) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lists[name]
	at := 0
	if op == opListGet || op == opListSet || op == opListUpdate {
		i, err := codec.NewDecoder(args[0], nil).Uvarint()
		if err != nil {
			return err
		}
		if i == 0 || i > uint64(len(l)) {
			return ErrNoKey
		}
		at = int(i) - 1
	}
	switch op {
	case opListAppend:
		s.lists[name] = append(l, args...)
	case opListGet:
		e.Buf = append(e.Buf, l[at]...)
	case opListSet:
		l[at] = args[1]
	case opListUpdate:
		v, err := apply(ctx, args[1], l[at])
		if err != nil {
			return err
		}
		l[at] = v
		e.Buf = append(e.Buf, v...)
	case opListLen:
		e.Uvarint(uint64(len(l)))
	case opListReverse:
		slices.Reverse(l)
	case opListAll:
		for _, v := range l {
			e.Bytes(v)
		}
	}
	return nil
}

func (s *store) queue(ctx context.Context, op byte, name string, args [][]byte, e *codec.Encoder) error {
	s.mu.Lock()
	q := s.queues[name]
	if q == nil {
		q = par.NewQueue(par.QueueConfig[[]byte]{})
		s.queues[name] = q
	}
	s.mu.Unlock()
	var err error
	switch op {
	case opQueuePut:
		err = q.Put(ctx, args[0])
	case opQueueGet:
		var v []byte
		if v, err = q.Get(ctx); err == nil {
			e.Buf = append(e.Buf, v...)
		}
	case opQueueLen:
		e.Uvarint(uint64(q.Len()))
	case opQueueClose:
		q.Close()
	}
	if errors.Is(err, par.ErrClosed) {
		return ErrClosed
	}
	return err
}

func (c *session) lock(ctx context.Context, name string) error {
	s := c.store
	s.mu.Lock()
	l := s.locks[name]
	if l == nil {
		l = &heldLock{}
		s.locks[name] = l
	}
	s.mu.Unlock()
	if err := l.Lock(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	l.owner = c
	s.mu.Unlock()
	return nil
}

func (c *session) unlock(name string) error {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.locks[name]
	if l == nil || l.owner != c {
		return par.ErrNotLocked
	}
	l.owner = nil
	return l.Unlock()
}

// releaseAll releases what a connection that has ended held.
func (c *session) releaseAll() {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.locks {
		if l.owner == c {
			l.owner = nil
			_ = l.Unlock() // it was held
		}
	}
}
