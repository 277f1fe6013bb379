package nvidia

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// callError is a call that the driver refused. It unwraps to its status.
type callError struct {
	status driver.Status
	call   *cuapi.CallError
}

// Error returns "cuMemAlloc_v2: out of memory: CUDA_ERROR_OUT_OF_MEMORY (2)": function, the driver's text, name and number.
func (e *callError) Error() string {
	name, text := e.call.Describe()
	s := e.call.Symbol
	if text == "" {
		text = e.status.Text()
	}
	if text != "" {
		s += ": " + text
	}
	if name == "" || name == e.status.Name() {
		return s + ": " + e.status.Error()
	}
	return fmt.Sprintf("%s: %s (%d)", s, name, uint32(e.status))
}

// Unwrap returns the status.
func (e *callError) Unwrap() error { return e.status }

// translate gives an error of package cuapi a status. A function that the driver lacks is NotSupported.
func translate(err error) error {
	var call *cuapi.CallError
	if errors.As(err, &call) {
		return &callError{driver.Status(call.Result), call}
	}
	var missing *cuapi.MissingError
	if errors.As(err, &missing) {
		return fmt.Errorf("%w: %w", missing, driver.NotSupported)
	}
	return err
}

// fail returns an error that wraps a status.
func fail(s driver.Status, format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), s)
}

// isStatus reports whether err wraps the status.
func isStatus(err error, s driver.Status) bool {
	var have driver.Status
	return errors.As(err, &have) && have == s
}

// isFault reports whether err is the sticky fault.
func isFault(err error) bool {
	var f *driver.Fault
	return errors.As(err, &f)
}
