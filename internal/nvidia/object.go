package nvidia

import "sync/atomic"

// object counts the users of a native object: the table in which it stands, and each call that uses it.
type object struct {
	refs atomic.Int64
	free func() error // destroys the native object
}

// init makes the table the first user.
func (o *object) init(free func() error) {
	o.free = free
	o.refs.Store(1)
}

// acquire is called while the object stands in its table, under the table's lock.
func (o *object) acquire() { o.refs.Add(1) }

// release counts one user less. The last one destroys the object.
func (o *object) release() error {
	if o.refs.Add(-1) > 0 {
		return nil
	}
	return o.free()
}

// users counts the calls in progress on a device, and lets Close wait for them.
type users struct {
	state   atomic.Int64 // their number, and closing
	drained chan struct{}
}

// closing is set in users.state from the beginning of Close.
const closing = 1 << 62

func newUsers() users { return users{drained: make(chan struct{}, 1)} }

// enter counts a call in; false if the device is closed.
func (u *users) enter() bool {
	if u.state.Add(1)&closing == 0 {
		return true
	}
	u.leave()
	return false
}

// leave counts a call out.
func (u *users) leave() {
	if u.state.Add(-1) == closing {
		select {
		case u.drained <- struct{}{}:
		default:
		}
	}
}

// close lets no more calls in and waits until those inside are out; false if another call of it came first.
func (u *users) close() bool {
	for {
		s := u.state.Load()
		if s&closing != 0 {
			return false
		}
		if u.state.CompareAndSwap(s, s|closing) {
			break
		}
	}
	for u.state.Load() != closing {
		<-u.drained
	}
	return true
}
