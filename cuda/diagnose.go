package cuda

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
)

// Diagnose explains an error of this package in words and says what to do about it, in one paragraph; "" for nil. It is
// for people: programs use errors.Is and errors.As.
func Diagnose(err error) string {
	if err == nil {
		return ""
	}
	for _, rule := range diagnoses {
		if text := rule(err); text != "" {
			return text
		}
	}
	var status driver.Status
	if errors.As(err, &status) && status.Text() != "" {
		return fmt.Sprintf("The device reports %v: %s.", status, status.Text())
	}
	return "There is no advice for this error: " + err.Error()
}

// diagnoses are tried in order: the cause of a cause before what it led to.
var diagnoses = []func(error) string{
	diagnosePoisoned, diagnoseCompile, diagnoseSentinel, diagnoseStatus, diagnoseUse,
}

func diagnosePoisoned(err error) string {
	if !errors.Is(err, ErrPoisoned) {
		return ""
	}
	var fault *Error
	if !errors.As(err, &fault) {
		return ""
	}
	return "An earlier kernel faulted, and since then the device takes no work: " + fault.Error() +
		". Correct that kernel. To go on, use Device.Reset on the host device; on a GPU end the process, which is what CUDA asks for."
}

func diagnoseCompile(err error) string {
	var ce *CompileError
	if !errors.As(err, &ce) {
		return ""
	}
	for _, d := range ce.Diagnostics {
		switch {
		case strings.Contains(d.Message, "could not open source file"):
			return "The source includes a file that is not found. Give its folder in CompileConfig.IncludeDirs, or its text in " +
				"CompileConfig.Headers. Headers of the CUDA toolkit are not part of NVRTC: " + d.String() + "."
		case strings.Contains(d.Message, "gpu-architecture"):
			return "This NVRTC does not know the target that the options choose: leave it out, and one that fits is chosen."
		}
	}
	return "The source does not compile; the first error is in the message, CompileError.Diagnostics has all of them and Log the whole text."
}

// advice belongs to sentinels.
var advice = []struct {
	is   error
	text string
}{
	{ErrNoCompiler, "CUDA source is compiled by NVIDIA's NVRTC library, which was not found at the places in the message. " +
		"Run `tandem setup` (go run ./cmd/tandem setup), which needs no administrator, or let TANDEM_NVRTC name the library. PTX can be loaded without it."},
	{ErrDriverTooOld, "The driver is older than the PTX, and nothing here makes machine code of it; the message names the versions. Install a " +
		"driver of at least the PTX's version of CUDA, use an older NVRTC (TANDEM_NVRTC), or install nvJitLink (TANDEM_NVJITLINK)."},
	{ErrClosed, "The object was closed, or its device was, before this call. Keep it open until its last use."},
	{ErrArgument, "The argument is not what the kernel's parameter takes; the message names both. Nothing was launched."},
	{ErrWrongDevice, "Buffers, streams, events and modules belong to the device that made them. Copy the data through a Go slice."},
	{ErrLength, "Lengths must agree exactly: nothing is cut or filled up."},
	{context.DeadlineExceeded, "The context's deadline came before the work was done. Queued work goes on, except the kernel of Run on the host device."},
	{context.Canceled, "The context was cancelled before the work was done. Queued work goes on, except the kernel of Run on the host device."},
}

func diagnoseSentinel(err error) string {
	for _, a := range advice {
		if errors.Is(err, a.is) {
			return a.text
		}
	}
	return ""
}

// container is how a GPU gets into a container.
const container = "In a container, start it with --gpus all (or the runtime nvidia) and NVIDIA_DRIVER_CAPABILITIES=compute,utility; " +
	"see also CUDA_VISIBLE_DEVICES, which hides devices."

// statusAdvice belongs to the driver's error numbers. Those below 100 and around 220 and 800 mostly tell about the
// installation (driver manual, CUresult).
var statusAdvice = map[driver.Status]string{
	3:                  "The driver was not initialised, which is an error of this library unless the process has just been forked.",
	34:                 "A stub of the driver library was loaded instead of the driver's own: take the folder `stubs` out of LD_LIBRARY_PATH.",
	46:                 "The GPU is busy or in exclusive mode: nvidia-smi shows who uses it and its compute mode.",
	driver.OutOfMemory: "Device memory is used up although everything dropped was freed. Close what is not needed; Device.Leaks lists what is held, Device.Memory what is free.",
	driver.NoDevice:    "The driver sees no GPU. " + container,
	driver.InvalidDevice: "There is no GPU of that number. " +
		"`tandem devices` lists what there is; CUDA_VISIBLE_DEVICES changes the numbers.",
	driver.NoBinaryForGPU: "The image was made for another GPU. Compile from source, or load PTX, which the driver compiles.",
	driver.InvalidPTX: "The PTX does not compile for this device; the message lists the places. NVRTC does not look at inline " +
		"assembly, so mistakes in it, and functions that are declared and never defined, show only here.",
	driverTooOld: "The driver is older than the PTX: NVRTC wrote a version of PTX that it does not know. Install a driver of at " +
		"least NVRTC's version, or use an older NVRTC (TANDEM_NVRTC).",
	driver.SharedObjectInit: "A library of the driver is missing or damaged: reinstall the driver, with libraries and kernel module of one version. " + container,
	driver.OperatingSystem: "The operating system refused the driver something: look at the permissions of /dev/nvidia0, /dev/nvidiactl and " +
		"/dev/nvidia-uvm, and load the module nvidia-uvm. " + container,
	driver.NotPermitted: "The operation is not permitted to this user: look at the permissions of /dev/nvidia*. " + container,
	driver.SystemDriverMismatch: "The driver's kernel module and its library have different versions, as after an update: restart " +
		"the machine, or unload and load the kernel module. In a container, the library must be the host's, not the image's.",
	driver.CompatNotSupported: "A forward-compatibility libcuda was found and this GPU does not support it: take its folder (cuda/compat) out of LD_LIBRARY_PATH, or install a newer driver.",
	driver.Unknown: "The driver gives no reason. Usual ones: the module nvidia-uvm is not loaded, the device files lack permissions, the machine has slept. " +
		"`nvidia-smi` and the kernel's log tell more. " + container,
	driver.LaunchOutOfResources: "A block needs more registers, threads or shared memory than there is: use fewer threads a block; Function.MaxThreads is the limit.",
	driver.LaunchTimeout:        "A kernel ran longer than the system allows on a GPU that drives a display: split the work.",
	driver.IllegalAddress: "A kernel used an address that is not its own: most often an index beyond the end of a buffer, for lack of `if (i < n)`. " +
		"The host device names parameter, thread and line: run it there.",
	driver.Assert:              "An assert in a kernel failed; its text goes to Device.SetOutput.",
	driver.MisalignedAddress:   "A kernel accessed memory at an address that is not a multiple of the access's size, as when a float4 is read at any float.",
	driver.LaunchFailed:        "A kernel stopped itself (trap), or failed in a way the GPU does not tell.",
	driver.CooperativeTooLarge: "The blocks of a cooperative launch must all fit at once: use a smaller grid.",
}

func diagnoseStatus(err error) string {
	var status driver.Status
	if !errors.As(err, &status) {
		return ""
	}
	return statusAdvice[status]
}

// diagnoseUse is about devices that could not be opened, when no status told more.
func diagnoseUse(err error) string {
	switch {
	case errors.Is(err, ErrGPUUnusable):
		return "There is an NVIDIA driver or GPU, and it fails; the reason is in the message. TANDEM_DEVICE=host uses the CPU instead. " + container
	case errors.Is(err, ErrNoDevice):
		return "No NVIDIA driver or GPU was found. TANDEM_DEVICE=host, or cuda.Default without TANDEM_DEVICE, uses the CPU. " + container
	}
	return ""
}
