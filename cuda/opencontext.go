package cuda

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
)

// OpenContext opens the same device once more with a context of its own: memory, modules and faults are not shared with d or
// anybody else. It costs memory and time on a GPU; Open's primary context is what most programs want.
func (d *Device) OpenContext() (*Device, error) {
	const op = "open context"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	b, ok := d.backend.(driver.ContextOpener)
	if !ok {
		return nil, misused(op, ErrNotSupported, "%s has one context only", d.c.name)
	}
	drv, err := b.OpenContext(d.info.Ordinal, driver.ContextOptions{})
	if err != nil {
		return nil, d.c.wrap(op, err)
	}
	return wrapDevice(d.info.Kind, d.backend, drv), nil
}

// OpenMostFree opens the usable GPU with the most free memory, or the host device where Default would. Asking makes a
// context on each GPU for a moment.
func OpenMostFree() (*Device, error) { return machine().openMostFree() }

func (s *system) openMostFree() (*Device, error) {
	var best *Device
	var most uint64
	for _, i := range s.devices() {
		if i.Kind != GPU || i.Unusable != nil {
			continue
		}
		d, err := s.open(i.ID)
		if err != nil {
			continue // Open would say why; another one may do
		}
		free, _, err := d.Memory()
		if err != nil || best != nil && free <= most {
			err = errors.Join(err, d.Close())
			if err != nil && best == nil {
				return nil, fmt.Errorf("open the GPU with the most free memory: %w", err)
			}
			continue
		}
		if best != nil {
			if err := best.Close(); err != nil {
				return nil, errors.Join(fmt.Errorf("open the GPU with the most free memory: %w", err), d.Close())
			}
		}
		best, most = d, free
	}
	if best == nil {
		return s.openAuto()
	}
	return best, nil
}

// byAddress finds the GPU with a PCI address such as "0000:3b:00.0".
func (s *system) byAddress(id string) (Info, bool) {
	if strings.Count(id, ":") != 2 {
		return Info{}, false
	}
	for _, i := range s.devices() {
		if strings.EqualFold(i.PCIBusID, id) {
			return i, true
		}
	}
	return Info{}, false
}
