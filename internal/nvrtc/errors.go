package nvrtc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/dl"
)

var (
	// ErrNotFound is wrapped by the *NotFoundError that Open returns when no usable NVRTC was found.
	ErrNotFound = errors.New("NVRTC not found")
	// ErrInvalidProgram is wrapped by errors about a Program that cannot be given to NVRTC, such as one with a zero byte.
	ErrInvalidProgram = errors.New("invalid program")
)

// Code is a result code of the NVRTC library (NVRTC manual, nvrtcResult).
type Code int32

// The codes that Compile treats by themselves.
const (
	success           Code = 0
	codeInvalidOption Code = 5
	codeCompilation   Code = 6
	codeBuiltins      Code = 7
	codeInvalidName   Code = 10
	codeCancelled     Code = 16
)

// Error is a call into NVRTC that failed for another reason than the program's source.
type Error struct {
	// Op says what was attempted.
	Op string
	// Code is NVRTC's result code and Name its symbolic name.
	Code Code
	Name string
	// Log is the compile log, if there was one.
	Log string
}

// Error names the attempt and the code.
func (e *Error) Error() string {
	s := fmt.Sprintf("NVRTC: %s: %s (%d)", e.Op, e.Name, e.Code)
	if log := strings.TrimSpace(e.Log); log != "" {
		s += ": " + log
	}
	return s
}

// CompileError says that NVRTC rejected a program's source, options or name expressions.
type CompileError struct {
	// File is the program's name.
	File string
	// Diagnostics are the messages of the log in order; at least one has severity SeverityError or above, unless the
	// log could not be understood.
	Diagnostics []Diagnostic
	// Log is the whole log.
	Log string
	// Code is NVRTC's result code and Name its symbolic name.
	Code Code
	Name string
}

// Error gives the first error with its position, and how many more there are.
func (e *CompileError) Error() string {
	var first *Diagnostic
	n := 0
	for i, d := range e.Diagnostics {
		if d.Severity >= SeverityError {
			n++
			if first == nil {
				first = &e.Diagnostics[i]
			}
		}
	}
	switch {
	case first == nil:
		return fmt.Sprintf("compile %s: %s (%d): %s", e.File, e.Name, e.Code, strings.TrimSpace(e.Log))
	case n == 1:
		return fmt.Sprintf("compile %s: %v", e.File, first)
	}
	return fmt.Sprintf("compile %s: %v (and %d more)", e.File, first, n-1)
}

// Attempt is one place where NVRTC was looked for without success.
type Attempt struct {
	// Origin is the step of the search, such as "CUDA_HOME".
	Origin string
	// Path is the file, the folder, or the name given to the loader.
	Path string
	// Err is the reason.
	Err error
}

// NotFoundError lists where NVRTC was looked for. It unwraps to ErrNotFound.
type NotFoundError struct {
	// Attempts are all places that were tried, in order.
	Attempts []Attempt
}

// Error lists every attempt after the advice what to do: one line for each library that could not be used, and one for
// the folders of a step that have none.
func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v; %s; tried:", ErrNotFound, notFoundAdvice)
	for i := 0; i < len(e.Attempts); i++ {
		a := e.Attempts[i]
		if !errors.Is(a.Err, errNoLibrary) {
			fmt.Fprintf(&b, "\n\t%s: %s: %s", a.Origin, a.Path, strings.ReplaceAll(dl.Reason(a.Err), "\n", "\n\t"))
			continue
		}
		fmt.Fprintf(&b, "\n\t%s: %v in %s", a.Origin, a.Err, a.Path)
		for i+1 < len(e.Attempts) && e.Attempts[i+1].Origin == a.Origin && errors.Is(e.Attempts[i+1].Err, errNoLibrary) {
			i++
			b.WriteString(", " + e.Attempts[i].Path)
		}
	}
	return b.String()
}

// Unwrap returns ErrNotFound and the reasons of all attempts.
func (e *NotFoundError) Unwrap() []error {
	errs := []error{ErrNotFound}
	for _, a := range e.Attempts {
		errs = append(errs, a.Err)
	}
	return errs
}
