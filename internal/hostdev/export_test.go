package hostdev

import (
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

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

// SetBlockTime says what a block of the kernel's last launch took.
func SetBlockTime(dev driver.Device, f driver.Function, took time.Duration) {
	d := dev.(*device)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.functions[f].blockTime.Store(int64(took))
}

// Prompt tells that runners of the default stream are delayed, as they are where waiters come first.
func Prompt(dev driver.Device) bool {
	d := dev.(*device)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.main.prompt >= promptWaits
}

// Alone tells that the launch that runs is one whose blocks one worker begins. It is asked by a block.
func Alone(dev driver.Device) (alone bool) {
	d := dev.(*device)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range d.running {
		alone = g.alone
	}
	return alone
}
