package dlpack_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/interop/dlpack"
)

// childVariable names the interpreter's library in the process that has it.
const childVariable = "TANDEM_TEST_LIBPYTHON"

// exchange takes a tensor of ours, writes to it, gives it back, and hands one of NumPy's to us, in both layouts.
const exchange = `
import ctypes, gc
import numpy as np
api = ctypes.pythonapi
api.PyCapsule_New.restype = ctypes.py_object
api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
api.PyCapsule_GetPointer.restype = ctypes.c_void_p
api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
api.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_char_p]
NEW, OLD = ctypes.create_string_buffer(b"dltensor_versioned"), ctypes.create_string_buffer(b"dltensor")
USED = {b"dltensor_versioned": ctypes.create_string_buffer(b"used_dltensor_versioned"), b"dltensor": ctypes.create_string_buffer(b"used_dltensor")}

class Ours:
    def __init__(self, p, name):
        self.p, self.name = p, name
    def __dlpack__(self, **_):
        return api.PyCapsule_New(self.p, self.name, None)
    def __dlpack_device__(self):
        return (1, 0)

for p, name, add in ((%d, NEW, 10), (%d, OLD, 100)):
    x = np.from_dlpack(Ours(p, name))
    assert x.shape == (2, 3) and x.dtype == np.float32, (x.shape, x.dtype)
    before = x.tolist()
    if not x.flags.writeable: # NumPy makes arrays of the old layout read-only
        assert name is OLD
    else:
        x += add
    del x
    gc.collect()

def theirs(address, name, **how):
    y = np.arange(6, dtype=np.int32).reshape(3, 2)
    capsule = y.__dlpack__(**how)
    p = api.PyCapsule_GetPointer(capsule, name)
    api.PyCapsule_SetName(capsule, USED[name.value])
    took = ctypes.PYFUNCTYPE(ctypes.c_size_t, ctypes.c_size_t)(address)(p)
    assert took == 15, took

theirs(%d, NEW, max_version=(1, 0))
theirs(%d, OLD)
`

// child runs the exchange in a process with an interpreter in it.
func child() int {
	runtime.LockOSThread()
	if err := converse(os.Getenv(childVariable)); err != nil {
		fmt.Println("child:", err)
		return 1
	}
	return 0
}

func converse(libpython string) error {
	lib, err := dl.OpenGlobal(libpython)
	if err != nil {
		return err
	}
	initialize, err := lib.Symbol("Py_InitializeEx")
	if err != nil {
		return err
	}
	execute, err := lib.Symbol("PyRun_SimpleString")
	if err != nil {
		return err
	}
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	if err != nil {
		return err
	}
	defer dev.Close()
	ctx := context.Background()
	b, err := cuda.Upload(ctx, dev, []float32{1, 2, 3, 4, 5, 6})
	if err != nil {
		return err
	}
	tensor, err := dlpack.FromBuffer(b, 2, 3)
	if err != nil {
		return err
	}
	released := 0
	versioned, err := dlpack.Export(tensor, func() { released++ })
	if err != nil {
		return err
	}
	unversioned, err := dlpack.ExportUnversioned(tensor, func() { released++ })
	if err != nil {
		return err
	}
	newer, err := dl.NewCallback(func(p uintptr) uintptr { return total(dlpack.Import(p)) })
	if err != nil {
		return err
	}
	older, err := dl.NewCallback(func(p uintptr) uintptr { return total(dlpack.ImportUnversioned(p)) })
	if err != nil {
		return err
	}
	initialize.Call(0)
	f := dl.NewFrame()
	if rc := f.String(fmt.Sprintf(exchange, versioned, unversioned, newer, older)).Call(execute); rc != 0 {
		return fmt.Errorf("the Python program failed")
	}
	got, err := b.Download(ctx)
	if err != nil {
		return err
	}
	if fmt.Sprint(got) != "[11 12 13 14 15 16]" || released != 2 {
		return fmt.Errorf("after the exchange %v, released %d times", got, released)
	}
	fmt.Println("exchanged")
	return b.Close()
}

// total is the sum of the elements of a tensor of int32 that is given back; 0 if it is none.
func total(im *dlpack.Imported, err error) uintptr {
	if err != nil {
		return 0
	}
	xs, err := dlpack.Elements[int32](im)
	if err != nil {
		return 0
	}
	n := uintptr(0)
	for _, x := range xs {
		n += uintptr(x)
	}
	if im.Close() != nil {
		return 0
	}
	return n
}

// TestNumPy exchanges tensors with NumPy both ways inside one process, where NumPy and Python's shared library are.
func TestNumPy(t *testing.T) {
	out, err := exec.Command("python3", "-c", `
import os, sys, sysconfig, numpy
print(os.path.join(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LDLIBRARY")))
print(sys.base_prefix)
print(":".join(p for p in sys.path if p))
assert tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 1), "from_dlpack of version 1"
`).Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) != 3 || !strings.Contains(lines[0], ".so") {
		t.Logf("no NumPy 2.1 or later: %v", err)
		return
	}
	if _, err := os.Stat(lines[0]); err != nil {
		t.Logf("no shared library of Python: %v", err)
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVariable+"="+lines[0], "PYTHONHOME="+lines[1], "PYTHONPATH="+lines[2])
	got, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", got)
	require.Equal(t, "exchanged\n", string(got))
}
