package hostdev

import "github.com/tandem-go/tandem/internal/driver"

// Waiting is how many goroutines wait for work that another one does.
func Waiting(dev driver.Device) (n int) {
	d := dev.(*device)
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := d.pending.first; s != nil; s = s.next {
		for w := s.waiters; w != nil; w = w.next {
			n++
		}
	}
	return n
}
