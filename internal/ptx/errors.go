package ptx

import (
	"fmt"
	"slices"
	"strings"
)

// Pos is a position in PTX text. Line and Col count from 1, Col in bytes; the zero Pos means "not in any text".
type Pos struct {
	Line, Col int32
}

// String returns "line:col".
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Col) }

// Before reports whether p stands before q in one text.
func (p Pos) Before(q Pos) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Col < q.Col
}

// Error is one reason to refuse PTX text.
type Error struct {
	// File is the name given to Parse.
	File string
	// Pos is where the text is wrong; the zero Pos if no one place is.
	Pos Pos
	// Msg says what is wrong, in lower case.
	Msg string
}

// Error returns "file:line:col: message".
func (e *Error) Error() string {
	if e.Pos == (Pos{}) {
		return e.File + ": " + e.Msg
	}
	return e.File + ":" + e.Pos.String() + ": " + e.Msg
}

// maxErrors bounds how many errors are kept of one text, so that hostile input cannot make the list larger than itself.
const maxErrors = 1000

// ErrorList is every reason to refuse one text, in order of position. Parse and check.Check return it.
type ErrorList []*Error

// Error returns one line for each error.
func (l ErrorList) Error() string {
	var b strings.Builder
	for i, e := range l {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	return b.String()
}

// Unwrap returns the errors one by one, for errors.Is and errors.As.
func (l ErrorList) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}

// Add appends an error; after 1,000 of them it only notes that there are more.
func (l *ErrorList) Add(file string, pos Pos, format string, args ...any) {
	switch n := len(*l); {
	case n < maxErrors:
		*l = append(*l, &Error{File: file, Pos: pos, Msg: fmt.Sprintf(format, args...)})
	case n == maxErrors:
		*l = append(*l, &Error{File: file, Pos: pos, Msg: "too many errors: the rest is not reported"})
	}
}

// Full reports whether the list takes no more errors.
func (l ErrorList) Full() bool { return len(l) > maxErrors }

// Err returns the list sorted by position as an error, or nil if it is empty.
func (l ErrorList) Err() error {
	if len(l) == 0 {
		return nil
	}
	slices.SortStableFunc(l, func(a, b *Error) int {
		switch {
		case a.Pos.Before(b.Pos):
			return -1
		case b.Pos.Before(a.Pos):
			return 1
		}
		return strings.Compare(a.Msg, b.Msg)
	})
	return l
}
