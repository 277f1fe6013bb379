package cuda_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvjitlink"
)

// elf is what stands for machine code of image.
var elf = []byte("\x7fELF\x00")

// oldDriver is a GPU of compute capability 9.0 whose driver, for CUDA 12.2, refuses PTX and takes machine code.
type oldDriver struct {
	driver.Device
	status driver.Status
	log    string
	loads  *[]string
}

func (d oldDriver) Info() driver.Info {
	i := d.Device.Info()
	i.ComputeMajor, i.ComputeMinor, i.DriverVersion = 9, 0, 12020
	return i
}

func (d oldDriver) LoadModule(code []byte, o driver.ModuleOptions) (driver.Module, string, error) {
	if string(code) != string(elf) {
		*d.loads = append(*d.loads, "PTX")
		return 0, d.log, d.status
	}
	*d.loads = append(*d.loads, "machine code")
	return d.Device.LoadModule([]byte(image), o)
}

func (d oldDriver) Link([]driver.LinkInput, driver.ModuleOptions) ([]byte, string, error) {
	return nil, d.log, d.status
}

type oldBackend struct {
	driver.Backend
	device oldDriver
}

func (b oldBackend) Open(n int) (driver.Device, error) {
	d, err := b.Backend.Open(n)
	b.device.Device = d
	return b.device, err
}

func openOld(t *testing.T, status driver.Status, log string) (*cuda.Device, *[]string) {
	f := newFake()
	f.caps = driver.Caps{LoadsPTX: true, LoadsCubin: true}
	loads := new([]string)
	d, err := cuda.OpenBackend(cuda.GPU, oldBackend{f.backend(), oldDriver{status: status, log: log, loads: loads}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d, loads
}

// standLinker is nvJitLink as far as this package sees it.
type standLinker struct {
	arch    string
	inputs  []nvjitlink.Input
	options []string
	err     error
}

func (l *standLinker) Version() string { return "12.4" }
func (l *standLinker) Link(arch string, inputs []nvjitlink.Input, options ...string) ([]byte, string, error) {
	l.arch, l.inputs, l.options = arch, inputs, options
	return elf, "", l.err
}

const versions = "the PTX is version 7.5, of CUDA 11.5; the driver, for CUDA 12.2, knows PTX up to 8.2"

// TestPTXNewerThanDriver: source is compiled to machine code by NVRTC, else by nvJitLink, which also serves loaded PTX; else the
// error names both versions and why nothing else did.
func TestPTXNewerThanDriver(t *testing.T) {
	absent := errors.New("no such library")
	for _, refusal := range []struct {
		status driver.Status
		log    string
	}{{driver.UnsupportedPTX, ""}, {driver.InvalidPTX, "ptxas fatal : Unsupported .version 8.4; current version is '8.2'"}} {
		d, loads := openOld(t, refusal.status, refusal.log)
		restore := cuda.WithLinker(nil, absent)
		comp := &fakeCompiler{archs: []int{75, 80, 90}, cubin: elf}
		m, err := cuda.CompileWith(background, d, comp, "source", cuda.CompileConfig{Options: []string{"-DN=1", "--gpu-architecture=compute_80"}})
		require.NoError(t, err)
		require.Equal(t, []string{"PTX", "machine code"}, *loads)
		require.Equal(t, "sm_90", comp.programs[1].Arch)
		require.Equal(t, []string{"-lineinfo", "--std=c++17", "-DN=1"}, comp.programs[1].Options)
		require.Contains(t, m.Log(), "compiled to machine code: "+versions)
		_, err = m.Function("saxpy")
		require.NoError(t, err)

		_, err = d.Load(background, []byte(image), cuda.LoadConfig{})
		require.ErrorIs(t, err, cuda.ErrDriverTooOld)
		require.ErrorContains(t, err, versions)
		require.ErrorContains(t, err, "nvJitLink is not there: no such library")
		require.Contains(t, cuda.Diagnose(err), "The driver is older than the PTX")
		comp = &fakeCompiler{archs: []int{75, 80}}
		_, err = cuda.CompileWith(background, d, comp, "source", cuda.CompileConfig{})
		require.ErrorIs(t, err, cuda.ErrDriverTooOld)
		require.ErrorContains(t, err, versions+"; NVRTC 12.4 makes no machine code for compute capability 9.0; nvJitLink is not there")
		_, err = d.Link([]cuda.LinkInput{{Name: "a", Data: []byte(image)}}, cuda.LoadConfig{})
		require.Error(t, err)
		restore()

		l := &standLinker{}
		restore = cuda.WithLinker(l, nil)
		*loads = nil
		m, err = cuda.CompileWith(background, d, comp, "source", cuda.CompileConfig{})
		require.NoError(t, err)
		require.Equal(t, []string{"PTX", "machine code"}, *loads)
		require.True(t, strings.HasPrefix(m.Log(), "a warning\nmade machine code with nvJitLink 12.4: "+versions), m.Log())
		m, err = d.Load(background, []byte(image), cuda.LoadConfig{Name: "loaded", MaxRegisters: 32, Debug: true})
		require.NoError(t, err)
		require.Equal(t, "sm_90", l.arch)
		require.Equal(t, []nvjitlink.Input{{Name: "loaded", Data: []byte(image)}}, l.inputs)
		require.Equal(t, []string{"-g", "-maxrregcount=32"}, l.options)
		_, err = m.Function("saxpy")
		require.NoError(t, err)
		m, err = d.Link([]cuda.LinkInput{{Name: "a", Data: []byte(image)}, {Name: "b", Data: elf}}, cuda.LoadConfig{})
		require.NoError(t, err)
		require.Len(t, l.inputs, 2)
		_, err = m.Function("saxpy")
		require.NoError(t, err)
		l.err = errors.New("nvJitLinkComplete: error 6")
		_, err = d.Load(background, []byte(image), cuda.LoadConfig{})
		require.ErrorIs(t, err, cuda.ErrDriverTooOld)
		require.ErrorContains(t, err, versions+"; nvJitLinkComplete: error 6")
		restore()
	}
	d, loads := openOld(t, driver.InvalidPTX, "ptxas error : something else")
	_, err := d.Load(background, []byte(image), cuda.LoadConfig{})
	require.ErrorIs(t, err, cuda.ErrInvalidPTX)
	require.NotErrorIs(t, err, cuda.ErrDriverTooOld)
	require.Len(t, *loads, 1)
}
