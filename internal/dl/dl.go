// Package dl opens shared libraries and calls their C functions without cgo; it is the only importer of purego.
//
// A library is opened by Open or OpenAny, its functions are looked up by Symbol and called in one of four ways:
//
//   - Func.Call is the fast path for functions whose arguments and result are integers or pointers: about 60 ns, and no
//     allocation when the caller passes a reused slice.
//   - Frame is the same for arguments that are pointers to Go memory; it keeps what they point to on the heap and alive.
//   - Sequence is for functions that are called again and again: several calls in one transition, half as dear as one of
//     Func.Call.
//   - Library.Bind is for all other signatures: floating point, structures by value. It costs several hundred
//     nanoseconds and some allocations a call.
//
// Libraries are never closed: C code may hold callbacks, thread-local state and threads of its own, and none of the
// libraries that Tandem opens is safe to unload.
//
// Linux, macOS and Windows have a loader. Elsewhere, and with the build tag tandem_nodl, every Open returns ErrNoLoader;
// with that tag the program does not contain purego and needs no dynamic linker at all.
//
// All functions may be called from any goroutine. A sequence of C calls that depends on the thread (a current context,
// errno) is the caller's to protect with runtime.LockOSThread.
package dl

import (
	"errors"
	"fmt"
	"strings"
)

// MaxArgs is the largest number of arguments that Func.Call accepts.
const MaxArgs = 32

// MaxCallbacks is the number of callbacks that one process can create; see NewCallback.
const MaxCallbacks = 2000

var (
	// ErrNoLoader is returned by each Open of a build or platform that cannot open shared libraries.
	ErrNoLoader = errors.New("shared libraries cannot be opened: " + noLoaderReason)
	// ErrNotFound is wrapped by the errors of Open and OpenAny when no candidate could be opened.
	ErrNotFound = errors.New("shared library not found")
	// ErrNoSymbol is wrapped by the errors of Symbol and Bind when the library lacks the function.
	ErrNoSymbol = errors.New("symbol not found")
)

// Library is an open shared library. It stays open until the process ends.
type Library struct {
	path   string
	handle uintptr
}

// Func is the address of a C function. The zero value is no function; calling it ends the program.
type Func uintptr

// Path returns the path or name under which the library was opened.
func (l *Library) Path() string { return l.path }

// Open opens the library at path with immediate binding and local visibility. A path without a slash is searched by
// the platform's loader. Opening one library twice gives two Library values of the same underlying library.
//
// It returns ErrNoLoader where there is no loader, else an error that wraps ErrNotFound and carries the loader's reason.
func Open(path string) (*Library, error) { return open(path, false) }

// OpenGlobal is Open with global visibility, for a library that loads plugins which use its symbols.
func OpenGlobal(path string) (*Library, error) { return open(path, true) }

func open(path string, global bool) (*Library, error) {
	if path == "" || strings.IndexByte(path, 0) >= 0 {
		return nil, fmt.Errorf("open shared library %q: %w: bad path", path, ErrNotFound)
	}
	handle, err := openLibrary(path, global)
	if errors.Is(err, ErrNoLoader) {
		return nil, err
	}
	if err != nil {
		return nil, &openError{path, err}
	}
	return &Library{path: path, handle: handle}, nil
}

// OpenAny opens the first of the candidates that can be opened. If none can, the error is ErrNoLoader or a
// *NotFoundError with the reason for each candidate; what names the library in that error.
func OpenAny(what string, candidates []string) (*Library, error) {
	missing := &NotFoundError{What: what}
	for _, path := range candidates {
		lib, err := Open(path)
		if err == nil {
			return lib, nil
		}
		if errors.Is(err, ErrNoLoader) {
			return nil, err
		}
		missing.Attempts = append(missing.Attempts, Attempt{Path: path, Err: err})
	}
	return nil, missing
}

// Symbol returns the address of the C function name, or an error that wraps ErrNoSymbol.
func (l *Library) Symbol(name string) (Func, error) {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return 0, fmt.Errorf("look up %q in %s: %w: bad name", name, l.path, ErrNoSymbol)
	}
	fn, err := findSymbol(l.handle, name)
	if err != nil {
		return 0, fmt.Errorf("look up %s in %s: %w: %w", name, l.path, ErrNoSymbol, err)
	}
	return Func(fn), nil
}

// Bind sets the Go function variable to which fptr points to one that calls the C function name. It serves signatures
// that Func.Call cannot: float32 and float64 parameters or results, and structures by value. The Go signature must be
// the C function's; nothing can check that. Strings are passed as C strings for the time of the call.
func (l *Library) Bind(fptr any, name string) error {
	fn, err := l.Symbol(name)
	if err != nil {
		return err
	}
	if err := BindFunc(fptr, fn); err != nil {
		return fmt.Errorf("bind %s of %s: %w", name, l.path, err)
	}
	return nil
}

// BindFunc is Bind for a function whose address is already known.
func BindFunc(fptr any, fn Func) (err error) {
	defer recoverTo(&err)
	if fn == 0 {
		return errors.New("bind a null function")
	}
	return registerFunc(fptr, uintptr(fn))
}

// NewCallback returns the address of a C function that calls fn, whose parameters are integers, floats or pointers and
// whose result is an integer, a pointer or nothing. Callbacks are never freed and a process can create only
// MaxCallbacks of them, so a package creates one for each purpose and lets C's user-data argument carry a handle.
// The callback may run on any thread, also on one that Go did not start.
func NewCallback(fn any) (addr uintptr, err error) {
	defer recoverTo(&err)
	return newCallback(fn)
}

// recoverTo turns a panic of the binding library, which is how it reports a signature that it cannot express or an
// exhausted table, into an error.
func recoverTo(err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = r
	default:
		*err = fmt.Errorf("%v", r)
	}
}

// Attempt is one candidate that could not be opened.
type Attempt struct {
	// Path is the file or the name given to the loader.
	Path string
	// Err is the loader's reason.
	Err error
}

// NotFoundError says that no candidate of a library could be opened. It unwraps to ErrNotFound.
type NotFoundError struct {
	// What names the library, such as "the CUDA driver".
	What string
	// Attempts are the candidates in the order in which they were tried.
	Attempts []Attempt
}

// Error lists the candidates with their reasons, one a line.
func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.What, ErrNotFound)
	if len(e.Attempts) == 0 {
		b.WriteString(" (no candidate)")
	}
	for _, a := range e.Attempts {
		fmt.Fprintf(&b, "\n\t%s: %s", a.Path, Reason(a.Err))
	}
	return b.String()
}

// Unwrap returns ErrNotFound.
func (e *NotFoundError) Unwrap() error { return ErrNotFound }

// Reason returns what the platform's loader said about a file, without the file's name, if err is an error of Open;
// else the text of err. It is for callers who name the file themselves.
func Reason(err error) string {
	var failed *openError
	if !errors.As(err, &failed) {
		return err.Error()
	}
	return failed.reason()
}

// openError says that one library could not be opened.
type openError struct {
	path string
	err  error
}

func (e *openError) reason() string { return strings.TrimPrefix(e.err.Error(), e.path+": ") }

func (e *openError) Error() string {
	return fmt.Sprintf("open %s: %v: %s", e.path, ErrNotFound, e.reason())
}

func (e *openError) Unwrap() []error { return []error{ErrNotFound, e.err} }
