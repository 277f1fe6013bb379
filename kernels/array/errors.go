package array

import (
	"errors"
	"fmt"
)

// What the errors of arrays wrap, for errors.Is.
var (
	// ErrShape: shapes that do not fit or broadcast, axes that are not there.
	ErrShape = errors.New("shapes do not fit")
	// ErrIndex: an index outside of its axis.
	ErrIndex = errors.New("index out of range")
	// ErrType: an operation that the element type does not have, or an operand of another type.
	ErrType = errors.New("element type does not fit")
	// ErrOverlap: an array written in place while it is read under another view.
	ErrOverlap = errors.New("memory overlaps")
	// ErrWorkspace: arrays of different workspaces, or of one that is closed.
	ErrWorkspace = errors.New("workspace does not fit")
)

// failed is an error with a sentinel.
type failed struct {
	text string
	is   error
}

// Error returns the message.
func (e *failed) Error() string { return e.text }

// Unwrap returns the sentinel.
func (e *failed) Unwrap() error { return e.is }

func failure(is error, format string, args ...any) error {
	return &failed{fmt.Sprintf(format, args...), is}
}
