//go:build linux && !tandem_nodl

package nvidia_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/driver/drivertest"
	"github.com/tandem-go/tandem/internal/nvidia"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
	"github.com/tandem-go/tandem/internal/nvidia/nvidiatest"
	"github.com/tandem-go/tandem/internal/workers"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if n := nvidia.HostCalls(); n > 0 {
		fmt.Fprintf(os.Stderr, "%d host functions are still held although all devices are closed\n", n)
		code = 1
	}
	workers.StopIdle()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var onGPU = flag.Bool("gpu", false, "run the contract's checks on the first GPU instead of on the fake")

// inChild is set in the processes that run one check each.
const inChild = "TANDEM_TEST_CHILD"

// TestConformance runs the contract's checks against a driver library that computes on the CPU, as a new and as an old
// one. With -gpu it runs them on a GPU, each in a process of its own, because a fault lasts as long as its process.
func TestConformance(t *testing.T) {
	if *onGPU && os.Getenv(inChild) != "" {
		drivertest.Run(t, func(t *testing.T) driver.Device {
			d, err := nvidia.New(nvidia.Config{}).Open(0)
			require.NoError(t, err)
			return d
		})
		return
	}
	if *onGPU {
		for _, name := range drivertest.Names() {
			t.Run(name, func(t *testing.T) {
				cmd := exec.Command(os.Args[0], "-test.run", "^TestConformance$/^"+name+"$", "-test.timeout", "2m", "-gpu")
				cmd.Env = append(os.Environ(), inChild+"=1")
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s", out)
			})
		}
		return
	}
	for name, hidden := range map[string][]string{"new driver": nil, "old driver": nvidiatest.Younger} {
		t.Run(name, func(t *testing.T) {
			var b driver.Backend
			var of *testing.T
			var opened int
			drivertest.Run(t, func(t *testing.T) driver.Device {
				if of != t { // a check may open more than one device, and gets the other one then
					f := nvidiatest.New(t)
					f.Clusters, f.NewestPTX = true, 84
					for _, symbol := range hidden {
						f.Hidden[symbol] = true
					}
					b, of, opened = f.Backend(), t, 0
				}
				d, err := b.Open(opened % 2)
				require.NoError(t, err)
				opened++
				return d
			})
		})
	}
}

// TestFakeHasTheSignatures: the functions of the fake take what the table, which is held against cuda.h, says.
func TestFakeHasTheSignatures(t *testing.T) {
	for _, e := range cuapi.Entries() {
		for _, s := range e.Table() {
			takes, ok := nvidiatest.Parameters(s.Name)
			require.True(t, ok, s.Name)
			n := strings.Count(s.Params, ",") + 1
			if s.Params == "void" {
				n = 0
			}
			require.Equal(t, n, takes, s.Name)
		}
	}
}

// A context of its own has its own memory and goes with its device; the one that the process shares stays.
func TestOpenContext(t *testing.T) {
	f := nvidiatest.New(t)
	b := f.Backend()
	shared, err := b.Open(0)
	require.NoError(t, err)
	opener, ok := b.(driver.ContextOpener)
	require.True(t, ok)
	own, err := opener.OpenContext(0, driver.ContextOptions{})
	require.NoError(t, err)
	p, err := own.Alloc(64)
	require.NoError(t, err)
	require.Error(t, shared.Free(p), "memory of another context")
	require.NoError(t, own.Fill(p, 1, 4, 16, 0))
	require.NoError(t, own.Synchronize(0))
	require.Equal(t, 1, f.Called("cuCtxCreate_v2"))
	require.NoError(t, own.Close())
	require.Equal(t, 1, f.Called("cuCtxDestroy_v2"))
	require.NoError(t, shared.Synchronize(0))
	require.NoError(t, shared.Close())
	_, err = opener.OpenContext(7, driver.ContextOptions{})
	require.ErrorIs(t, err, driver.InvalidDevice)
	f.Force("cuCtxCreate_v2", driver.OutOfMemory)
	_, err = opener.OpenContext(0, driver.ContextOptions{})
	require.ErrorIs(t, err, driver.OutOfMemory)
}

func TestNoDriver(t *testing.T) {
	for name, open := range map[string]func() (*cuapi.Library, error){
		"absent":    cuapi.Search{Names: []string{"libno-such-driver.so.1"}, Dirs: []string{t.TempDir()}, Files: []string{"libcuda.so.1"}}.Open,
		"no loader": func() (*cuapi.Library, error) { return nil, dl.ErrNoLoader },
	} {
		_, err := nvidia.New(nvidia.Config{Library: open}).Devices()
		require.ErrorIs(t, err, driver.ErrNoBackend, name)
		_, err = nvidia.New(nvidia.Config{Library: open}).Open(0)
		require.ErrorIs(t, err, driver.ErrNoBackend, name)
	}
}

func TestNoDevice(t *testing.T) {
	t.Setenv("CUDA_VISIBLE_DEVICES", "-1")
	f := nvidiatest.New(t)
	f.Force("cuInit", driver.NoDevice)
	b := f.Backend()
	for range 2 {
		_, err := b.Devices()
		require.ErrorIs(t, err, driver.ErrNoBackend)
		require.EqualError(t, err, `no device of this kind: fake driver found no GPU (CUDA_VISIBLE_DEVICES="-1")`)
	}
	require.Equal(t, 1, f.Called("cuInit"))
	f.Force("cuInit", 0)
	f.Count = 0
	_, err := f.Backend().Devices()
	require.ErrorIs(t, err, driver.ErrNoBackend)
}

// TestBrokenDriver: a driver that is there and fails is another error, with name, number and text.
func TestBrokenDriver(t *testing.T) {
	f := nvidiatest.New(t)
	for status, text := range map[driver.Status]string{
		driver.SystemDriverMismatch: "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)",
		driver.CompatNotSupported:   "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE (804)",
		driver.Unknown:              "CUDA_ERROR_UNKNOWN (999)",
	} {
		f.Force("cuInit", status)
		for _, ask := range []func(driver.Backend) error{
			func(b driver.Backend) error { _, err := b.Devices(); return err },
			func(b driver.Backend) error { _, err := b.Open(0); return err },
		} {
			err := ask(f.Backend())
			require.NotErrorIs(t, err, driver.ErrNoBackend)
			require.ErrorIs(t, err, status)
			require.ErrorContains(t, err, "initialise the driver fake driver: cuInit: ")
			require.ErrorContains(t, err, text)
			if status.Text() != "" {
				require.ErrorContains(t, err, "fake: "+status.Text(), "the driver's own words")
			}
		}
	}
	f.Force("cuInit", 34)
	_, err := f.Backend().Devices()
	require.NotErrorIs(t, err, driver.ErrNoBackend)
	require.EqualError(t, err, "fake driver is a stub made for linking, not the driver: cuInit: CUDA_ERROR (34)")
	f.Force("cuInit", 0)
	f.Force("cuDeviceGetCount", driver.Unknown)
	_, err = f.Backend().Devices()
	require.ErrorIs(t, err, driver.Unknown)
}

func TestDevices(t *testing.T) {
	f := nvidiatest.New(t)
	b := f.Backend()
	infos, err := b.Devices()
	require.NoError(t, err)
	require.Len(t, infos, 2)
	require.Equal(t, driver.Info{
		Ordinal: 1, Name: "Fake 1", ComputeMajor: 7, ComputeMinor: 5, TotalBytes: 1 << 30, DriverVersion: 12040,
		UUID: [16]byte([]byte("0123456789abcdef")), PCIBusID: "0000:3B:00.0",
	}, infos[1])
	for _, ordinal := range []int{-1, 2} {
		_, err = b.Open(ordinal)
		require.ErrorIs(t, err, driver.InvalidDevice)
	}

	f.Mode = cuapi.ComputeModeProhibited
	infos, err = b.Devices()
	require.NoError(t, err)
	require.ErrorIs(t, infos[0].Unusable, driver.NotPermitted)
	require.ErrorContains(t, infos[0].Unusable, "prohibited")
	_, err = b.Open(0)
	require.ErrorIs(t, err, driver.NotPermitted)

	f.Mode = 0
	f.Force("cuDeviceTotalMem_v2", driver.Unknown)
	infos, err = b.Devices()
	require.NoError(t, err)
	require.ErrorContains(t, infos[0].Unusable, "ask for the size of memory: cuDeviceTotalMem_v2")
	require.Equal(t, "Fake 0", infos[0].Name)
	f.Force("cuDeviceTotalMem_v2", 0)
	f.Force("cuDevicePrimaryCtxRetain", driver.NotPermitted)
	_, err = b.Open(0)
	require.ErrorIs(t, err, driver.NotPermitted)
}

// TestMissingSymbol: what an old driver lacks is NotSupported, and says what and which driver.
func TestMissingSymbol(t *testing.T) {
	f := nvidiatest.New(t)
	f.Hidden["cuLaunchHostFunc"] = true
	d := f.Open(t)
	err := d.HostFunc(0, func() {})
	require.ErrorIs(t, err, driver.NotSupported)
	require.EqualError(t, err, "the driver (fake driver, CUDA 12.4) does not export cuLaunchHostFunc: CUDA_ERROR_NOT_SUPPORTED (801)")
	require.NoError(t, d.Close())
	f.Hidden["cuDevicePrimaryCtxRetain"] = true
	_, err = f.Backend().Open(0)
	require.ErrorIs(t, err, driver.NotSupported)
}

const kernel = `.version 6.4
.target sm_50
.address_size 64
.visible .global .align 4 .u32 variable = 5;
.visible .entry store(.param .u64 p, .param .u32 v)
{
	.reg .b32 %r<2>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [p];
	ld.param.u32 %r1, [v];
	st.global.u32 [%rd1], %r1;
	ret;
}
`

func load(t *testing.T, d driver.Device) (driver.Module, driver.Function) {
	t.Helper()
	m, _, err := d.LoadModule([]byte(kernel), driver.ModuleOptions{})
	require.NoError(t, err)
	f, err := d.Function(m, "store")
	require.NoError(t, err)
	return m, f
}

func launch(d driver.Device, f driver.Function, s driver.Stream, p driver.Ptr, v uint32) error {
	params := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, uint64(p)), v)
	one := driver.Dim3{X: 1, Y: 1, Z: 1}
	_, err := d.Launch(&driver.Launch{Function: f, Grid: one, Block: one, Stream: s, Params: params})
	return err
}

// TestLogAndOptions: the compiler's options arrive, and its logs come back.
func TestLogAndOptions(t *testing.T) {
	f := nvidiatest.New(t)
	d := f.Open(t)
	_, log, err := d.LoadModule([]byte(kernel), driver.ModuleOptions{OptLevel: 2, MaxRegisters: 40, Debug: true, LineInfo: true})
	require.NoError(t, err)
	require.Equal(t, "fake info : compiled", log)
	options, values := f.JITOptions()
	require.Equal(t, []cuapi.JITOption{
		cuapi.JITInfoLogBuffer, cuapi.JITInfoLogBufferSize, cuapi.JITErrorLogBuffer, cuapi.JITErrorLogBufferSize,
		cuapi.JITOptimizationLevel, cuapi.JITMaxRegisters, cuapi.JITGenerateDebugInfo, cuapi.JITGenerateLineInfo,
	}, options)
	require.Equal(t, []uintptr{2, 40, 1, 1}, values[4:])
	_, log, err = d.LoadModule([]byte(strings.Replace(kernel, "st.global", "st.globule", 1)), driver.ModuleOptions{Name: "bad.ptx"})
	require.ErrorIs(t, err, driver.InvalidPTX)
	require.ErrorContains(t, err, "load bad.ptx: cuModuleLoadDataEx: fake: ")
	require.Contains(t, log, "globule")
	require.NoError(t, d.Close())
}

// TestBinaryImages: binaries are checked before the driver reads them without a length.
func TestBinaryImages(t *testing.T) {
	f := nvidiatest.New(t)
	d := f.Open(t)
	header := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: 190, Version: 1, Ehsize: 64, Shoff: 64, Shentsize: 64, Shnum: 2, Shstrndx: 1,
	}
	cubin := func(size uint64) []byte {
		var b bytes.Buffer
		for _, v := range []any{header, elf.Section64{}, elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: 192, Size: size}} {
			require.NoError(t, binary.Write(&b, binary.LittleEndian, v))
		}
		return append(b.Bytes(), make([]byte, 64)...)
	}
	fatbin := func(size uint64) []byte {
		b := []byte{0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0}
		return append(binary.LittleEndian.AppendUint64(b, size), make([]byte, 100)...)
	}
	for _, c := range []struct {
		name  string
		image []byte
		want  driver.Status
	}{
		{"cubin", cubin(64), driver.NoBinaryForGPU}, // which is what the fake says of all binaries
		{"cubin with a long section", cubin(65), driver.InvalidImage},
		{"cubin cut off", cubin(64)[:100], driver.InvalidImage},
		{"fatbin", fatbin(100), driver.NoBinaryForGPU},
		{"long fatbin", fatbin(101), driver.InvalidImage},
		{"very long fatbin", fatbin(1<<64 - 1), driver.InvalidImage},
		{"text with a zero byte", []byte(".version\x006.4"), driver.InvalidImage},
	} {
		asked := f.Called("cuModuleLoadDataEx")
		_, _, err := d.LoadModule(c.image, driver.ModuleOptions{})
		require.ErrorIs(t, err, c.want, c.name)
		require.Equal(t, c.want == driver.NoBinaryForGPU, f.Called("cuModuleLoadDataEx") > asked, c.name)
	}
	require.NoError(t, d.Close())
}

// TestForeignMemory: memory that another owner in the process has from the driver may be used; its length counts.
func TestForeignMemory(t *testing.T) {
	f := nvidiatest.New(t)
	a, b := f.Open(t), f.Open(t)
	p, err := a.Alloc(1000)
	require.NoError(t, err)
	require.NoError(t, b.Write(p+999, []byte{42}, 0))
	require.ErrorIs(t, b.Write(p+999, []byte{1, 2}, 0), driver.InvalidValue)
	require.ErrorIs(t, b.Write(p+1000, []byte{1}, 0), driver.InvalidValue)
	require.ErrorIs(t, b.Free(p), driver.InvalidValue)
	got := make([]byte, 1)
	require.NoError(t, b.Read(got, p+999, 0))
	require.Equal(t, []byte{42}, got)
	require.NoError(t, b.Close())
	require.NoError(t, a.Free(p))
	require.NoError(t, a.Close())
}

// TestLargeTransfers go through many blocks, and later ones use them again.
func TestLargeTransfers(t *testing.T) {
	f := nvidiatest.New(t)
	d := f.Open(t)
	rng := rand.New(rand.NewPCG(1, 2))
	src := make([]byte, 70<<20+13)
	for i := 0; i < len(src)-8; i += 8 {
		binary.LittleEndian.PutUint64(src[i:], rng.Uint64())
	}
	p, err := d.Alloc(uint64(len(src)))
	require.NoError(t, err)
	for _, n := range []int{len(src), 32 << 20, 32<<20 + 1, 4<<20 + 1, 4 << 20, 1} {
		require.NoError(t, d.Fill(p, 0, 1, uint64(len(src)), 0))
		require.NoError(t, d.Write(p, src[:n], 0))
		got := make([]byte, n)
		require.NoError(t, d.Read(got, p, 0))
		require.True(t, bytes.Equal(src[:n], got), "%d bytes", n)
	}
	slabs := f.Called("cuMemHostAlloc")
	for i := range 2000 {
		require.NoError(t, d.Write(p, src[i:i+4096], 0))
	}
	require.LessOrEqual(t, f.Called("cuMemHostAlloc"), slabs+3, "blocks are used again")
	require.NoError(t, d.Synchronize(0))
	require.NoError(t, d.Close())
}

// TestDestroyDuringUse: a handle that one goroutine destroys while others use it never reaches the driver afterwards.
func TestDestroyDuringUse(t *testing.T) {
	f := nvidiatest.New(t)
	d := f.Open(t)
	for range 20 {
		s, err := d.NewStream(0)
		require.NoError(t, err)
		e, err := d.NewEvent(true)
		require.NoError(t, err)
		m, k := load(t, d)
		p, err := d.Alloc(4)
		require.NoError(t, err)
		var all sync.WaitGroup
		gone := func(err error) {
			if err != nil && !errors.Is(err, driver.InvalidHandle) && !errors.Is(err, driver.NotReady) {
				t.Errorf("want no error, an invalid handle or work to do, have %v", err)
			}
		}
		for range 3 {
			all.Go(func() {
				for range 20 {
					gone(launch(d, k, s, p, 1))
					gone(d.Record(e, s))
					gone(d.WaitEvent(0, e))
					gone(d.QueryEvent(e))
					gone(d.Write(p, []byte{1, 2, 3, 4}, s))
					_, err := d.FunctionInfo(k)
					gone(err)
				}
			})
		}
		all.Go(func() { gone(d.DestroyEvent(e)) })
		all.Go(func() { gone(d.DestroyStream(s)) })
		all.Go(func() { gone(d.UnloadModule(m)) })
		all.Wait()
		require.NoError(t, d.Free(p))
	}
	require.NoError(t, d.Close())
}

// TestCloseDuringUse: calls that come too late are refused, those inside are waited for.
func TestCloseDuringUse(t *testing.T) {
	f := nvidiatest.New(t)
	for range 10 {
		d := f.Open(t)
		_, k := load(t, d)
		p, err := d.Alloc(4)
		require.NoError(t, err)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for {
					if err := launch(d, k, 0, p, 1); err != nil {
						if !errors.Is(err, driver.Deinitialized) {
							t.Errorf("want a closed device, have %v", err)
						}
						return
					}
					if err := d.Synchronize(0); err != nil && !errors.Is(err, driver.Deinitialized) {
						t.Error(err)
					}
				}
			})
		}
		require.NoError(t, d.Close())
		all.Wait()
	}
}

// TestCloseWaitsForCalls: nothing is destroyed while a call is inside the driver.
func TestCloseWaitsForCalls(t *testing.T) {
	f := nvidiatest.New(t)
	d := f.Open(t)
	inside, leave := make(chan struct{}), make(chan struct{})
	f.Hook("cuMemGetInfo_v2", func() {
		close(inside)
		<-leave
	})
	var all sync.WaitGroup
	all.Go(func() {
		_, _, err := d.MemInfo()
		require.NoError(t, err)
	})
	<-inside
	all.Go(func() { require.NoError(t, d.Close()) })
	for d.Query(0) == nil { // until Close has begun
		runtime.Gosched()
	}
	for range 10_000 { // time for what must not happen
		runtime.Gosched()
	}
	require.Zero(t, f.Called("cuStreamDestroy_v2")+f.Called("cuDevicePrimaryCtxRelease_v2"))
	close(leave)
	all.Wait()
	require.Equal(t, 1, f.Called("cuDevicePrimaryCtxRelease_v2"))
}

// TestFreeingWaits: memory and modules go back to the driver when the work queued before is done, on every stream, also
// on one that was destroyed.
func TestFreeingWaits(t *testing.T) {
	for _, destroyed := range []bool{false, true} {
		for symbol, free := range map[string]func(d driver.Device, p driver.Ptr, m driver.Module) error{
			"cuMemFree_v2":   func(d driver.Device, p driver.Ptr, _ driver.Module) error { return d.Free(p) },
			"cuModuleUnload": func(d driver.Device, _ driver.Ptr, m driver.Module) error { return d.UnloadModule(m) },
		} {
			f := nvidiatest.New(t)
			d := f.Open(t)
			m, k := load(t, d)
			p, err := d.Alloc(4)
			require.NoError(t, err)
			s, err := d.NewStream(0)
			require.NoError(t, err)
			hold := make(chan struct{})
			require.NoError(t, d.HostFunc(s, func() { <-hold }))
			require.NoError(t, launch(d, k, s, p, 1))
			if destroyed {
				require.NoError(t, d.DestroyStream(s))
			}
			var all sync.WaitGroup
			all.Go(func() { require.NoError(t, free(d, p, m)) })
			for f.Called("cuEventSynchronize")+f.Called(symbol) == 0 {
				runtime.Gosched()
			}
			require.Zero(t, f.Called(symbol), "%s before the work was done", symbol)
			close(hold)
			all.Wait()
			require.Equal(t, 1, f.Called(symbol))
			require.NoError(t, d.Close())
		}
	}
}

// TestModulesLoadWhole: kernels are on the device when LoadModule returns, whichever way the driver offers.
func TestModulesLoadWhole(t *testing.T) {
	for symbol, hidden := range map[string][]string{"cuFuncLoad": nil, "cuFuncGetAttribute": nvidiatest.Younger} {
		f := nvidiatest.New(t)
		for _, h := range hidden {
			f.Hidden[h] = true
		}
		d := f.Open(t)
		_, _, err := d.LoadModule([]byte(kernel), driver.ModuleOptions{})
		require.NoError(t, err)
		require.Positive(t, f.Called(symbol), symbol)
		require.NoError(t, d.Close())
	}
}

// TestQueriesLeaveTheFault: a query that meets a fault says that there is no work, and Close reports the fault.
func TestQueriesLeaveTheFault(t *testing.T) {
	for symbol, query := range map[string]func(d driver.Device, e driver.Event) error{
		"cuStreamQuery": func(d driver.Device, _ driver.Event) error { return d.Query(0) },
		"cuEventQuery":  func(d driver.Device, e driver.Event) error { return d.QueryEvent(e) },
	} {
		f := nvidiatest.New(t)
		d := f.Open(t)
		e, err := d.NewEvent(false)
		require.NoError(t, err)
		f.Force(symbol, driver.Assert)
		require.NoError(t, query(d, e))
		f.Force(symbol, 0)
		require.ErrorIs(t, d.Close(), driver.Assert)
	}
}

// TestReadIsWhole: a fault that comes while a read of several blocks waits leaves dst as it was, and one that comes later
// does not matter to it.
func TestReadIsWhole(t *testing.T) {
	for waits := range 3 {
		f := nvidiatest.New(t)
		d := f.Open(t)
		const n = 9 << 20
		p, err := d.Alloc(n)
		require.NoError(t, err)
		require.NoError(t, d.Fill(p, 7, 1, n, 0))
		dst, before := bytes.Repeat([]byte{1}, n), bytes.Repeat([]byte{1}, n)
		seen := 0
		f.Hook("cuEventSynchronize", func() {
			if seen == waits {
				f.Force("cuEventSynchronize", driver.IllegalAddress)
			}
			seen++
		})
		if err := d.Read(dst, p, 0); err != nil {
			require.ErrorIs(t, err, driver.IllegalAddress)
			require.True(t, bytes.Equal(before, dst), "a failed read after %d waits changed the destination", waits)
		} else {
			require.Positive(t, waits)
			require.True(t, bytes.Equal(bytes.Repeat([]byte{7}, n), dst))
		}
		f.Force("cuEventSynchronize", 0)
		require.NoError(t, d.Close())
	}
}

// TestPoison: any call may be the one that meets the fault, and the fault stays the same.
func TestPoison(t *testing.T) {
	for symbol, call := range map[string]func(d driver.Device, p driver.Ptr, k driver.Function) error{
		"cuStreamSynchronize":  func(d driver.Device, _ driver.Ptr, _ driver.Function) error { return d.Synchronize(0) },
		"cuMemcpyHtoDAsync_v2": func(d driver.Device, p driver.Ptr, _ driver.Function) error { return d.Write(p, []byte{1}, 0) },
		"cuMemcpyDtoHAsync_v2": func(d driver.Device, p driver.Ptr, _ driver.Function) error { return d.Read(make([]byte, 1), p, 0) },
		"cuEventSynchronize":   func(d driver.Device, p driver.Ptr, _ driver.Function) error { return d.Read(make([]byte, 1), p, 0) },
		"cuLaunchKernel":       func(d driver.Device, p driver.Ptr, k driver.Function) error { return launch(d, k, 0, p, 1) },
		"cuMemAlloc_v2": func(d driver.Device, _ driver.Ptr, _ driver.Function) error {
			_, err := d.Alloc(1)
			return err
		},
		"cuMemHostAlloc": func(d driver.Device, _ driver.Ptr, _ driver.Function) error {
			_, _, err := d.AllocHost(1)
			return err
		},
		"cuMemGetInfo_v2": func(d driver.Device, _ driver.Ptr, _ driver.Function) error {
			_, _, err := d.MemInfo()
			return err
		},
	} {
		t.Run(symbol, func(t *testing.T) {
			f := nvidiatest.New(t)
			d := f.Open(t)
			_, k := load(t, d)
			p, err := d.Alloc(4)
			require.NoError(t, err)
			f.Force(symbol, driver.HardwareStackError)
			err = call(d, p, k)
			f.Force(symbol, 0)
			var fault, again *driver.Fault
			require.ErrorAs(t, err, &fault)
			require.Equal(t, driver.HardwareStackError, fault.Status)
			require.ErrorAs(t, d.Synchronize(0), &again)
			require.Same(t, fault, again)
			require.NoError(t, d.Query(0))
			require.NoError(t, d.Free(p))
			require.NoError(t, d.Close(), "the fault was seen")
		})
	}
}

// program uses most of a device. It returns the first error.
func program(d driver.Device) (err error) {
	do := func(e error) {
		if err == nil {
			err = e
		}
	}
	p, e := d.Alloc(8)
	do(e)
	_, host, e := d.AllocHost(4)
	do(e)
	s, e := d.NewStream(1)
	do(e)
	a, e := d.NewEvent(true)
	do(e)
	m, _, e := d.LoadModule([]byte(kernel), driver.ModuleOptions{})
	do(e)
	k, e := d.Function(m, "store")
	do(e)
	v, _, e := d.Global(m, "variable")
	do(e)
	if err != nil {
		return err
	}
	clear(host)
	b := make([]byte, 4)
	do(d.Write(p, b, s))
	do(d.Fill(p, 0, 4, 1, s))
	do(d.Record(a, s))
	do(launch(d, k, s, p, 7))
	do(d.Copy(p+4, v, 4, s))
	do(d.HostFunc(s, func() {}))
	do(d.WaitEvent(0, a))
	do(d.Read(b, p, s))
	do(d.Synchronize(s))
	_, e = d.Elapsed(a, a)
	do(e)
	do(d.SynchronizeEvent(a))
	do(d.UnloadModule(m))
	do(d.Free(p))
	do(d.DestroyEvent(a))
	do(d.DestroyStream(s))
	return err
}

// TestEachFunctionFails: whichever function of the driver fails, the program sees an error with its status, and the
// device can be closed and leaves nothing behind (which the fake watches).
func TestEachFunctionFails(t *testing.T) {
	for _, e := range cuapi.Entries() {
		t.Run(e.String(), func(t *testing.T) {
			f := nvidiatest.New(t)
			d := f.Open(t)
			require.NoError(t, program(d))
			used := map[string]int{}
			for _, s := range e.Symbols() {
				used[s] = f.Called(s)
				f.Force(s, driver.OutOfMemory)
			}
			err := program(d)
			for _, s := range e.Symbols() {
				f.Force(s, 0)
				if f.Called(s) > used[s] {
					require.ErrorIs(t, err, driver.OutOfMemory, s)
				}
			}
			require.NoError(t, errors.Join(program(d)), "the device works again")
			require.NoError(t, d.Close())
		})
	}
}

// TestLaunchDoesNotAllocate measures with C functions that do nothing, since callbacks allocate.
func TestLaunchDoesNotAllocate(t *testing.T) {
	libc, err := dl.Open("libc.so.6")
	require.NoError(t, err)
	zero, err := libc.Symbol("pthread_getconcurrency") // returns 0 unless somebody set it
	require.NoError(t, err)
	threads, err := dl.NewCallback(func(v *int32, a int32, f uintptr) uintptr {
		if *v = 0; a == 0 {
			*v = 1024
		}
		return 0
	})
	require.NoError(t, err)
	nvidiatest.New(t)
	lookup := func(symbol string) (dl.Func, error) {
		switch {
		case symbol == "cuFuncGetAttribute":
			return dl.Func(threads), nil
		case strings.HasPrefix(symbol, "cuDeviceGet"):
			return nvidiatest.Callback(symbol), nil
		case symbol == "cuFuncGetParamInfo":
			return 0, dl.ErrNoSymbol
		}
		return zero, nil
	}
	d, err := nvidia.New(nvidia.Config{Library: func() (*cuapi.Library, error) { return cuapi.New("zero", lookup), nil }}).Open(0)
	require.NoError(t, err)
	_, k := load(t, d)
	e, err := d.NewEvent(true)
	require.NoError(t, err)
	most := 0.0
	if raceDetector { // which makes pools forget some of what they hold
		most = 5
	}
	one := driver.Dim3{X: 1, Y: 1, Z: 1}
	l := &driver.Launch{Function: k, Grid: one, Block: one, Params: make([]byte, 12)}
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		if _, err := d.Launch(l); err != nil {
			t.Error(err)
		}
	}), most)
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		if errors.Join(d.Record(e, 0), d.WaitEvent(0, e), d.Synchronize(0), d.QueryEvent(e)) != nil {
			t.Error("a call failed")
		}
	}), 4*most)
	require.NoError(t, d.Close())
}
