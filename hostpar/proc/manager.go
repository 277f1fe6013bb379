package proc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

var (
	// ErrManagerGone reports that the process of a manager has ended or cannot be reached.
	ErrManagerGone = errors.New("proc: manager is gone")
	// ErrToken reports a manager that does not accept the token.
	ErrToken = errors.New("proc: manager refuses the token")
	// ErrNoKey reports a key that a dictionary does not have, or an index beyond a list.
	ErrNoKey = errors.New("proc: no such key")
)

// ManagerConfig says where a manager listens. The zero value is good for processes of one machine.
type ManagerConfig struct {
	// Address is "unix:" and a path, or "tcp:" and host and port, port 0 for any. Empty is a local address that is nobody
	// else's. Over TCP nothing is encrypted: use it within one machine or a network that is trusted.
	Address string
	// Token must be known to clients; empty for a random one.
	Token string
	// Name is what the process is called; empty for "manager".
	Name string
}

// Manager keeps dictionaries, lists, queues and locks in a process of its own, for all processes that know its address and
// token. It is a plain value: pass it to other processes, also as part of a Dict, List or the like. An operation takes a
// message there and back, some ten microseconds; shared memory is much faster, and this more flexible.
//
// A process has one connection to each manager, which Close closes.
type Manager struct {
	Address string
	Token   string
}

// ManagerProcess is a manager that this process has started.
type ManagerProcess struct {
	Manager
	p *Process[struct{}]
}

// Child returns the process.
func (m *ManagerProcess) Child() *Child { return m.p.Child }

// Stop ends the manager and all that it keeps.
func (m *ManagerProcess) Stop() {
	_ = m.Close() // there may be no connection
	m.p.Kill()
	<-m.p.Done()
}

// serveArgs is what a manager's process is told.
type serveArgs struct {
	Manager Manager
	Ready   *Conn[[2]string] // gets the address, or why there is none
}

// managerFunc runs a manager until its parent ends.
var managerFunc = Register("proc.manager", func(ctx context.Context, in serveArgs) (struct{}, error) {
	l, address, err := listen(in.Manager.Address)
	if err != nil {
		return struct{}{}, in.Ready.Send(ctx, [2]string{"", err.Error()})
	}
	if err := in.Ready.Send(ctx, [2]string{address, ""}); err != nil {
		return struct{}{}, errors.Join(err, l.Close())
	}
	return struct{}{}, serve(ctx, l, in.Manager.Token)
})

// StartManager starts a manager. It ends with ctx, with Stop, and with this process.
func StartManager(ctx context.Context, cfg ManagerConfig) (*ManagerProcess, error) {
	if cfg.Token == "" {
		cfg.Token = randomText()
	}
	if cfg.Name == "" {
		cfg.Name = "manager"
	}
	ours, theirs, err := Pipe[[2]string]()
	if err != nil {
		return nil, err
	}
	defer func() { _ = ours.Close() }() // it has served its purpose
	p, err := Start(ctx, managerFunc, serveArgs{Manager{cfg.Address, cfg.Token}, theirs}, StartConfig{Name: cfg.Name, Daemon: true})
	if err != nil {
		return nil, errors.Join(err, theirs.Close())
	}
	answer, err := ours.Receive(ctx)
	if err == nil && answer[1] != "" {
		err = errors.New(answer[1])
	}
	if err != nil {
		p.Kill()
		<-p.Done()
		return nil, fmt.Errorf("proc: start manager: %w", err)
	}
	return &ManagerProcess{Manager{answer[0], cfg.Token}, p}, nil
}

func randomText() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it does not fail
	return hex.EncodeToString(b)
}

// listen returns a listener and its address.
func listen(address string) (net.Listener, string, error) {
	if address == "" {
		address = localAddress()
	}
	network, where, _ := strings.Cut(address, ":")
	if network != "unix" && network != "tcp" {
		return nil, "", fmt.Errorf("address %q is neither unix: nor tcp:", address)
	}
	l, err := net.Listen(network, where)
	if err != nil {
		return nil, "", err
	}
	return l, network + ":" + l.Addr().String(), nil
}

// client is the connection of this process to a manager.
type client struct {
	link *frame.Link

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan frame.Frame
	gone    bool
}

// clients are the connections of this process.
var clients struct {
	sync.Mutex
	m map[Manager]*client
}

// connect returns the connection, which it makes if there is none.
func (m Manager) connect() (*client, error) {
	clients.Lock()
	defer clients.Unlock()
	if c := clients.m[m]; c != nil {
		return c, nil
	}
	network, where, _ := strings.Cut(m.Address, ":")
	conn, err := net.Dial(network, where)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManagerGone, err)
	}
	c := &client{link: frame.OverPipes(conn, conn), waiting: map[uint64]chan frame.Frame{}}
	if err := c.introduce(m.Token); err != nil {
		_ = c.link.Close() // the error to report is the other one
		return nil, err
	}
	if clients.m == nil {
		clients.m = map[Manager]*client{}
	}
	clients.m[m] = c
	go c.read(m)
	return c, nil
}

func (c *client) introduce(token string) error {
	err := c.link.Send(frame.Frame{Kind: kindHello, Body: []byte(token)})
	if err == nil {
		err = c.link.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrManagerGone, err)
	}
	answer, err := c.link.Receive()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrManagerGone, err)
	case answer.Kind != kindReady:
		return ErrToken
	default:
		return nil
	}
}

func (c *client) read(m Manager) {
	for {
		f, err := c.link.Receive()
		if err != nil {
			break
		}
		c.mu.Lock()
		if ch := c.waiting[f.ID]; ch != nil {
			ch <- f // it has room for one
			delete(c.waiting, f.ID)
		}
		c.mu.Unlock()
	}
	_ = c.link.Close() // it has ended
	clients.Lock()
	if clients.m[m] == c {
		delete(clients.m, m)
	}
	clients.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for id, ch := range c.waiting {
		close(ch)
		delete(c.waiting, id)
	}
}

// Close closes this process's connection, if there is one. Locks that it holds are released.
func (m Manager) Close() error {
	clients.Lock()
	defer clients.Unlock()
	c := clients.m[m]
	delete(clients.m, m)
	if c == nil {
		return nil
	}
	_ = c.link.Close() // both halves are one connection, and the second finds it closed
	return nil
}

// do sends a request and waits for the answer.
func (m Manager) do(ctx context.Context, op byte, name string, args ...[]byte) (*codec.Decoder, error) {
	c, err := m.connect()
	if err != nil {
		return nil, err
	}
	var e codec.Encoder
	e.Buf = append(e.Buf, op)
	e.String(name)
	for _, a := range args {
		e.Bytes(a)
	}
	answer := make(chan frame.Frame, 1)
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return nil, ErrManagerGone
	}
	c.last++
	id := c.last
	c.waiting[id] = answer
	c.mu.Unlock()
	err = c.link.Send(frame.Frame{Kind: kindCall, ID: id, Body: e.Buf})
	if err == nil {
		err = c.link.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManagerGone, err)
	}
	select {
	case f, ok := <-answer:
		return result(f, ok, name)
	case <-ctx.Done():
		return c.giveUp(ctx, id, answer, name)
	}
}

// giveUp cancels a request. What it has done already must not be lost, so the answer is waited for.
func (c *client) giveUp(ctx context.Context, id uint64, answer chan frame.Frame, name string) (*codec.Decoder, error) {
	_ = c.link.Send(frame.Frame{Kind: kindCancel, ID: id}) // the reader notices errors
	_ = c.link.Flush()
	f, ok := <-answer
	d, err := result(f, ok, name)
	if errors.Is(err, context.Canceled) {
		err = context.Cause(ctx)
	}
	return d, err
}

func result(f frame.Frame, ok bool, name string) (*codec.Decoder, error) {
	if !ok {
		return nil, ErrManagerGone
	}
	d := codec.NewDecoder(f.Body, nil)
	if f.Kind != kindFailure {
		return d, nil
	}
	err := decodeError(d, name)
	for _, known := range []error{ErrClosed, ErrNoKey, context.Canceled} {
		if errors.Is(err, known) {
			return nil, known
		}
	}
	return nil, err
}

// encoded and decoded are values as the manager keeps them.
func encoded[T any](x T) ([]byte, error) {
	c, err := codec.Of[T]()
	if err != nil {
		return nil, err
	}
	var e codec.Encoder
	if err := c.Encode(&e, &x); err != nil {
		return nil, err
	}
	if len(e.Files) > 0 {
		return nil, fmt.Errorf("%w: what stands on open files", codec.ErrType)
	}
	return e.Buf, nil
}

func decoded[T any](b []byte) (x T, err error) {
	c, err := codec.Of[T]()
	if err != nil {
		return x, err
	}
	d := codec.NewDecoder(b, nil)
	if err = c.Decode(d, &x); err == nil && d.Len() > 0 {
		err = io.ErrUnexpectedEOF
	}
	return x, err
}
