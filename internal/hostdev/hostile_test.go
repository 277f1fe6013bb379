package hostdev_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
)

// TestImpossibleLaunches: what no device can do is refused with CUDA's own statuses, before anything is queued or allocated.
func TestImpossibleLaunches(t *testing.T) {
	d := host(t)
	f := lookUp(t, d, header+".visible .entry nothing()\n{\n\tret;\n}\n", "nothing")
	one := driver.Dim3{X: 1, Y: 1, Z: 1}
	free, _, err := d.MemInfo()
	require.NoError(t, err)
	for _, c := range []struct {
		what   string
		launch driver.Launch
		want   driver.Status
	}{
		{"4 GiB of shared memory", driver.Launch{Grid: one, Block: one, SharedBytes: 1<<32 - 1}, driver.LaunchOutOfResources},
		{"2^31 blocks", driver.Launch{Grid: driver.Dim3{X: 1 << 31, Y: 1, Z: 1}, Block: one}, driver.InvalidValue},
		{"2^32-1 blocks in y", driver.Launch{Grid: driver.Dim3{X: 1, Y: 1<<32 - 1, Z: 1}, Block: one}, driver.InvalidValue},
		{"2^31-1 threads", driver.Launch{Grid: one, Block: driver.Dim3{X: 1<<31 - 1, Y: 1, Z: 1}}, driver.LaunchOutOfResources},
		{"threads whose product overflows", driver.Launch{Grid: one, Block: driver.Dim3{X: 1 << 16, Y: 1 << 16, Z: 1}}, driver.LaunchOutOfResources},
		{"a cooperative grid of 2^31-1 blocks", driver.Launch{Grid: driver.Dim3{X: 1<<31 - 1, Y: 1, Z: 1}, Block: one, Cooperative: true}, driver.CooperativeTooLarge},
	} {
		c.launch.Function = f
		_, err := d.Launch(&c.launch)
		require.ErrorIs(t, err, c.want, c.what)
	}
	after, _, err := d.MemInfo()
	require.NoError(t, err)
	require.Equal(t, free, after)
	_, err = d.Launch(&driver.Launch{Function: f, Grid: one, Block: one})
	require.NoError(t, err)
	require.NoError(t, d.Synchronize(0), "the device goes on")
}

// TestImpossibleModules: declarations of absurd sizes are errors when the module is loaded, when the kernel is looked up, or
// when it is launched, and cost nothing.
func TestImpossibleModules(t *testing.T) {
	for _, space := range []string{".global", ".shared", ".local", ".const"} {
		for _, size := range []string{"4294967296", "1099511627776", "4611686018427387904", "18446744073709551615"} {
			d := host(t)
			text := fmt.Sprintf("%s\n.visible .entry k(.param .u64 p)\n{\n\t%s .align 4 .b8 big[%s];\n\t.reg .b64 %%a;\n\t.reg .b32 %%v;\n\tmov.u64 %%a, big;\n\tld%s.u32 %%v, [%%a];\n\tret;\n}\n",
				header, space, size, space)
			err := attempt(d, text)
			var status driver.Status
			require.ErrorAs(t, err, &status, "%s %s", space, size)
			require.NotZero(t, status)
			require.False(t, status.Sticky(), "%s %s: %v", space, size, err)
			_, err = d.Alloc(1 << 10)
			require.NoError(t, err, "the device goes on")
		}
	}
}

// attempt loads text and launches its kernel k.
func attempt(d driver.Device, text string) error {
	m, _, err := d.LoadModule([]byte(text), driver.ModuleOptions{})
	if err != nil {
		return err
	}
	f, err := d.Function(m, "k")
	if err != nil {
		return err
	}
	one := driver.Dim3{X: 1, Y: 1, Z: 1}
	if _, err = d.Launch(&driver.Launch{Function: f, Grid: one, Block: one, Params: make([]byte, 8)}); err != nil {
		return err
	}
	return d.Synchronize(0)
}

// TestEndlessRecursion: a stack that never ends is CUDA's 714, on that device and no other.
func TestEndlessRecursion(t *testing.T) {
	d, other := host(t), host(t)
	text := header + `
.func (.param .b32 r) deeper(.param .b32 n)
{
	.reg .b32 %n, %m;
	.local .align 4 .b8 frame[64];
	ld.param.u32 %n, [n];
	st.local.u32 [frame], %n;
	add.u32 %n, %n, 1;
	.param .b32 a;
	.param .b32 b;
	st.param.b32 [a], %n;
	call (b), deeper, (a);
	ld.param.b32 %m, [b];
	st.param.b32 [r], %m;
	ret;
}
.visible .entry k(.param .u64 p)
{
	.reg .b32 %v;
	.param .b32 a;
	.param .b32 b;
	mov.u32 %v, 0;
	st.param.b32 [a], %v;
	call (b), deeper, (a);
	ret;
}
`
	err := attempt(d, text)
	var fault *driver.Fault
	require.ErrorAs(t, err, &fault)
	require.Equal(t, driver.HardwareStackError, fault.Status)
	require.Contains(t, fault.Detail, "call stack overflow")
	_, err = d.Alloc(4)
	require.ErrorIs(t, err, driver.HardwareStackError, "the fault is sticky")
	_, err = other.Alloc(4)
	require.NoError(t, err)
	require.NoError(t, other.Synchronize(0))
}
