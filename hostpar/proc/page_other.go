//go:build !linux

package proc

import (
	"errors"
	"os"
)

// page is not made on this system: what a worker was doing is found in other ways.
type page struct{ file *os.File }

func newPage() *page { return nil }

func openPage(*os.File) (*page, error) { return nil, errors.ErrUnsupported }

func (p *page) close() {}

func (p *page) begin(uint64, int) {}

func (p *page) send() {}

func (p *page) idle() {}

func (p *page) at() (at place, ok bool) { return at, false }

func (p *page) sending() bool { return false }
