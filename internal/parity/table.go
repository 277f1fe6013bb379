package parity

var deviceRows = []Row{
	{"V1", "pycuda.VERSION, VERSION_STATUS, VERSION_TEXT", Both, "", "cmd/tandem.TestVersionAndDoctor", "`tandem version`; the module's version is in runtime/debug.BuildInfo"},
	{"V2", "driver.get_version()", Both, "Module.Compiler", "cuda.TestEmbeddedPTX", "there is no toolkit; the version of NVRTC that compiled a module"},
	{"V3", "driver.get_driver_version()", Both, "Info.DriverVersion", "internal/nvidia.TestDevices", ""},
	{"V4", "driver.init(flags=0)", Both, "Open Default", "cuda.TestDefault", "opening a device initialises; nothing happens at import"},
	{"V5", "Device(number) / Device(pci_bus_id)", Both, "Open", "cuda.TestOpenByAddress cuda.TestDefault", "by ordinal or by PCI address"},
	{"V6", "Device.count() name() pci_bus_id() compute_capability() total_memory()", Both, "Devices Info.Name Info.PCIBusID Info.ComputeMajor Info.MemoryBytes", "cuda.TestDevices internal/nvidia.TestDevices", ""},
	{"V7", "Device.get_attribute(attr) / dev.clock_rate sugar / get_attributes() -> dict", Both, "Device.Attribute Device.Attributes", "cuda.TestAttributes kit.Attributes", "by CUDA's number, or all by name"},
	{"V8", "Device.make_context(flags=ctx_flags.SCHED_AUTO)", Both, "Device.OpenContext", "cuda.TestOpenContext internal/nvidia.TestOpenContext", ""},
	{"V9", "Device.retain_primary_context()", Both, "Open", "kit.Close", "Open retains the primary context of a GPU"},
	{"V10", "Device.can_access_peer(dev); __eq__/__ne__/__hash__", GPUOnly, "Device.CanAccessPeer", "cuda.TestPeerAccess cuda.TestNoPeers kit.PeerAccess", "the host device says false; Devices are compared with =="},
}

var contextRows = []Row{
	{"C1", "Context.push() pop() get_current() get_device()", Dropped, "", "", "every call makes its device's context current; any goroutine may use any object"},
	{"C2", "Context.attach() detach()", Dropped, "", "", "a Device is shared by the garbage collector, not by a count"},
	{"C3", "Context.synchronize()", Both, "Device.Synchronize Stream.Wait", "cuda.TestEvents", ""},
	{"C4", "Context.set_limit/get_limit + limit {STACK_SIZE, PRINTF_FIFO_SIZE, MALLOC_HEAP_SIZE, DEV_RUNTIME_SYNC_DEPTH, DEV_RUNTIME_PENDING_LAUNCH_COUNT}", Both, "Device.Limit Device.SetLimit", "cuda.TestLimitsAndPreferences kit.Limits", ""},
	{"C5", "Context.set_cache_config/get_cache_config + func_cache", Both, "Device.CacheConfig Device.SetCacheConfig", "cuda.TestLimitsAndPreferences kit.CacheConfig", ""},
	{"C6", "Context.set_shared_config/get_shared_config + shared_config", Dropped, "", "", "deprecated in CUDA 12"},
	{"C7", "Context.get_api_version(), Context.handle", GPUOnly, "Device.Native", "cuda.TestNative internal/nvidia.TestNative", "the host device has no CUcontext; versions are in Info"},
	{"C8", "Context.enable_peer_access/disable_peer_access", GPUOnly, "Device.EnablePeerAccess Device.DisablePeerAccess", "cuda.TestPeerAccess cuda.TestNoPeers kit.PeerAccess", "kernels then take buffers of the other device"},
	{"C9", "ctx_flags SCHED_AUTO/SPIN/YIELD/BLOCKING_SYNC/MAP_HOST/LMEM_RESIZE_TO_MAX", Dropped, "", "", "scheduling of waits is the library's matter; mapping is always on"},
	{"C10", "autoinit (device, context; atexit pop)", Both, "Default", "cuda.TestDefaultIsOne", ""},
	{"C11", "autoprimaryctx", Both, "Default", "cuda.TestDefaultIsOne", ""},
	{"C12", "tools.make_default_context(ctx_maker=None)", Both, "Default", "cuda.TestDefault", "TANDEM_DEVICE chooses"},
	{"C13", "tools.get_default_device(default=0)", Dropped, "", "", "deprecated in PyCUDA"},
}

var streamRows = []Row{
	{"S1", "Stream(flags=0) synchronize() is_done() handle", Both, "Device.NewStream Stream.Wait Stream.Idle", "cuda.TestEvents kit.StreamOrder", ""},
	{"S2", "Stream.wait_for_event(evt)", Both, "Stream.WaitFor", "cuda.TestEventsOrderStreams kit.WaitEvent", ""},
	{"S3", "Event(flags) + event_flags DEFAULT/BLOCKING_SYNC/DISABLE_TIMING/INTERPROCESS", Both, "Device.NewEvent", "cuda.TestEvents kit.Elapsed", "with timing; those for one process only"},
	{"S4", "Event.record(stream) synchronize() query()", Both, "Event.Record Event.Wait Event.Happened", "cuda.TestEvents kit.EventQuery", ""},
	{"S5", "Event.time_since(e) / time_till(e)", Both, "Event.Since", "cuda.TestEvents kit.Elapsed", ""},
	{"S6", "Event.ipc_handle() / from_ipc_handle()", Later, "", "", ""},
}

var memoryRows = []Row{
	{"M1", "mem_get_info()", Both, "Device.Memory", "kit.MemInfo", ""},
	{"M2", "mem_alloc(bytes) -> DeviceAllocation (free(), as_buffer(size, offset), int cast)", Both, "Alloc Buffer.Close Buffer.Slice Buffer.Ptr", "cuda.TestUploadDownload cuda.TestDroppedBuffers", ""},
	{"M3", "mem_alloc_pitch(width,height,access_size)", Both, "AllocPitched", "cuda.TestTexturesAndSurfaces cuda.TestCopyBox", ""},
	{"M4", "mem_alloc_like(ary), mem_get_address_range", Both, "Alloc Buffer.Slice", "cuda.TestUploadDownload", "Alloc with the length of another buffer is mem_alloc_like; a Buffer knows its range"},
	{"M5", "to_device(buf) from_device(ptr,shape,dtype,order) from_device_like(ptr,other)", Both, "Upload Buffer.Download Buffer.CopyTo Buffer.CopyFrom", "cuda.TestUploadDownload", ""},
	{"M6", "PointerHolderBase.get_pointer()/as_buffer()", Both, "Foreign Buffer.Ptr", "cuda.TestForeign", "memory of others enters as a Buffer; Buffer.Ptr is the address of ours"},
	{"M7", "pointer_attribute CONTEXT/MEMORY_TYPE/DEVICE_POINTER/HOST_POINTER", Both, "Device.Locate Location", "cuda.TestLocate kit.Locate", ""},
	{"M8", "mem_get_ipc_handle / IPCMemoryHandle(handle, flags) .close()", Later, "", "", ""},
}

var hostRows = []Row{
	{"H1", "pagelocked_empty/_zeros/_empty_like/_zeros_like(…, mem_flags)", Both, "AllocHost HostBuffer.Slice", "kit.AllocHost", ""},
	{"H2", "PagelockedHostAllocation.free()/get_flags(); HostAllocation (deprecated alias)", Both, "HostBuffer.Close", "cuda.TestSlicesOfHostBuffersStay", ""},
	{"H3", "host_alloc_flags PORTABLE/DEVICEMAP/WRITECOMBINED", Both, "AllocHost", "kit.AllocHost", "portable and mapped always; write-combined memory is not offered: reading it through a slice is very slow"},
	{"H4", "HostPointer.get_device_pointer()", Both, "HostBuffer", "kit.AllocHost", "a HostBuffer is an argument of kernels, without a copy"},
	{"H5", "aligned_empty/_zeros/_empty_like/_zeros_like(alignment=4096), AlignedHostAllocation", Dropped, "", "", "page-locked memory is aligned to 256 bytes; Go slices that are registered are what they are"},
	{"H6", "register_host_memory(ary, flags) -> RegisteredHostMemory.unregister(), .base", Both, "RegisterHost HostBuffer.Close", "cuda.TestManagedAndRegisteredMemory kit.RegisterHost", ""},
	{"H7", "managed_empty/_zeros/_empty_like/_zeros_like, ManagedAllocation.free/get_device_pointer", Both, "AllocManaged ManagedBuffer", "cuda.TestManagedAndRegisteredMemory kit.Managed", ""},
	{"H8", "ManagedAllocation.attach(mem_attach_flags GLOBAL/HOST/SINGLE, stream)", Both, "ManagedBuffer.Attach", "cuda.TestManagedAndRegisteredMemory kit.Managed", ""},
}

var arrayRows = []Row{
	{"A1", "ArrayDescriptor, ArrayDescriptor3D, Array(descr) free/get_descriptor/get_descriptor_3d/handle", Both, "Device.NewArray ArrayConfig Array.Close", "cuda.TestTexturesAndSurfaces kit.BadArrays", ""},
	{"A2", "array_format, array3d_flags(LAYERED, SURFACE_LDST, CUBEMAP, TEXTURE_GATHER), array_cubemap_face", Both, "ArrayConfig.Layered ArrayConfig.Cube ArrayConfig.Surface ArrayConfig.Gather", "kit.BadArrays kit.Surface", ""},
	{"A3", "TextureReference set_array/set_address/set_address_2d/set_format/set_address_mode/set_filter_mode/set_flags + getters", Both, "Module.SetTexture TextureConfig", "cuda.TestReferences cuda.TestReferencesOnGPU kit.References", "a reference is set to a texture object (A6), whose configuration counts; compilers from CUDA 12 on know no references"},
	{"A4", "TRSA_OVERRIDE_FORMAT TRSF_READ_AS_INTEGER TRSF_NORMALIZED_COORDINATES TR_DEFAULT", Both, "TextureConfig.Integers TextureConfig.Normalized", "kit.References kit.Texture", "the format is that of the memory"},
	{"A5", "SurfaceReference.set_array/get_array", Both, "Module.SetSurface", "cuda.TestReferences cuda.TestReferencesOnGPU kit.References", ""},
	{"A6", "texture OBJECTS / surface OBJECTS", Both, "Array.NewTexture NewTexture Array.NewSurface Pitched.NewTexture Mipmap.NewTexture", "cuda.TestTexturesAndSurfaces kit.Texture kit.TextureOfMemory kit.Surface kit.Mipmap cuda.TestMipmap", ""},
	{"A7", "matrix_to_array np_to_array gpuarray_to_array make_multichannel_2d_array bind_array_to_texref matrix_to_texref", Both, "FillArray ReadArray", "cuda.TestTexturesAndSurfaces", ""},
	{"A8", "pycuda-helpers.hpp fp_tex_double/cfloat/cdouble, fp_tex1Dfetch, fp_surf3Dwrite", Dropped, "", "", "doubles in textures were a workaround for texture references"},
}

var copyRows = []Row{
	{"T1", "memcpy_htod/_dtoh/_dtod", Both, "Buffer.CopyTo Buffer.CopyFrom Copy", "cuda.TestUploadDownload cuda.TestCopyBetweenBuffers", ""},
	{"T2", "memcpy_htod_async/_dtoh_async/_dtod_async(stream)", Both, "Copy HostBuffer", "cuda.TestCopyBetweenBuffers kit.Copy", "asynchronous copies go through page-locked memory"},
	{"T3", "memcpy_peer / memcpy_peer_async", GPUOnly, "CopyPeer", "cuda.TestCopyPeer cuda.TestPeersGo cuda.TestNoPeers kit.PeerCopy kit.PeerMistakes", "asynchronous, on a stream of the destination"},
	{"T4", "memcpy_dtoa/_atod/_htoa/_atoh/_atoa", Both, "CopyBox FillArray ReadArray", "cuda.TestTexturesAndSurfaces kit.CopyRegion", ""},
	{"T5", "Memcpy2D (src/dst host, array, device, unified; pitch; aligned=False; async via stream)", Both, "CopyBox Rows Array.At", "cuda.TestCopyBox kit.CopyRegion", ""},
	{"T6", "Memcpy3D", Both, "CopyBox Extent", "cuda.TestCopyBox kit.CopyRegion", ""},
	{"T7", "Memcpy3DPeer set_src_context/set_dst_context", GPUOnly, "CopyBoxPeer", "cuda.TestCopyBoxPeer cuda.TestNoPeers kit.PeerCopy", ""},
	{"T8", "memset_d8/_d16/_d32 (+_async)", Both, "Buffer.Fill", "cuda.TestFill kit.Fill", "always asynchronous, on a stream"},
	{"T9", "memset_d2d8/_d2d16/_d2d32 (+_async)", Both, "Pitched.FillBox", "cuda.TestCopyBox kit.FillRows", ""},
}

var launchRows = []Row{
	{"F1", "module_from_file / module_from_buffer(buf, options, message_handler)", Both, "Device.Load LoadConfig", "kit.BadPTX internal/nvidia.TestLogAndOptions internal/nvidia.TestBinaryImages", "PTX on both; cubin and fatbin hold machine code of GPUs, the host device returns ErrNoBinary"},
	{"F2", "Module.get_function/get_global/get_texref/get_surfref", Both, "Module.Function Module.Global Module.SetTexture Module.SetSurface", "cuda.TestModuleNames kit.Lookup cuda.TestReferences", "references are set, not returned (A3, A5)"},
	{"F3", "jit_option (11 values), jit_target (COMPUTE_10…90A), jit_fallback", Both, "LoadConfig.MaxRegisters LoadConfig.OptLevel LoadConfig.Debug LoadConfig.LineInfo LoadConfig.Target LoadConfig.PreferBinary", "internal/nvidia.TestLogAndOptions", "a GPU's compiler takes them; the host device needs none"},
	{"F4", "Linker(message_handler, link_options, log_verbose) .add_data/.add_file/.link_module; jit_input_type", Both, "Device.Link LinkInput", "cuda.TestLink kit.Link", ""},
	{"F5", "Function.__call__(*args, block, grid, stream, shared, texrefs, time_kernel)", Both, "Function.Launch Function.Run LaunchConfig", "cuda.TestRunCopiesSlices cuda.TestBadArguments", ""},
	{"F6", "Function.prepare(arg_types) prepared_call prepared_async_call prepared_timed_call", Both, "Function.Prepare Prepared.Launch Prepared.Set", "cuda.TestPrepared cuda.TestPreparedTakesNoMemory", ""},
	{"F7", "accepts __cuda_array_interface__ objects as args", Both, "Foreign", "cuda.TestForeign interop/dlpack.TestToBuffer", "there is no such protocol in Go; by address, or as a DLPack tensor"},
	{"F8", "Function.get_attribute/set_attribute, func.num_regs sugar; function_attribute", Both, "Function.MaxThreads Function.SharedBytes Function.LocalBytes Function.Registers Function.SetSharedCarveout", "kit.FunctionInfo kit.FunctionAttributes", ""},
	{"F9", "Function.set_cache_config/set_shared_config", Both, "Function.SetCacheConfig", "cuda.TestLimitsAndPreferences kit.CacheConfig", ""},
	{"F10", "deprecated set_block_shape/param_set*/launch/launch_grid*", Dropped, "", "", "deprecated in PyCUDA; Function.Launch"},
	{"F11", "ArgumentHandler, In, Out, InOut", Both, "In Out InOut Arg", "cuda.TestRunCopiesSlices cuda.TestLaunchSnapshotsInAndWritesOutInWait", ""},
}

var errorRows = []Row{
	{"E1", "Error > MemoryError LogicError LaunchError RuntimeError", Both, "Error ErrOutOfMemory ErrIllegalAddress ErrPoisoned ErrInvalidValue", "cuda.TestEveryCallFailsInTurn", ""},
	{"E2", "CompileError .msg .stdout .stderr .command_line", Both, "CompileError Diagnostic", "cuda.TestCompileError", ""},
	{"E3", "initialize_profiler start_profiler stop_profiler, profiler_output_mode", Both, "Device.Profile", "cuda.TestLimitsAndPreferences kit.Priorities", ""},
	{"E4", "pycuda.debug (python -m pycuda.debug), driver.set_debugging()", Dropped, "", "", "cuda-gdb and compute-sanitizer attach to the process as it is; on the host device the sanitizer needs no tool"},
	{"E5", "CUDA_TRACE build switch", Dropped, "", "", "a build switch; spans in runtime/trace take its place (N20)"},
}

var compilerRows = []Row{
	{"K1", "SourceModule(source, nvcc, options, keep, no_extern_c, arch, code, cache_dir, include_dirs)", Both, "Device.Compile CompileConfig", "cuda.TestCompileConfig cuda.TestKit", "NVRTC, no nvcc and no host compiler"},
	{"K2", "compiler.compile(..., target=\"cubin\"/\"ptx\"/\"fatbin\")", Both, "CompilePTX", "cuda.TestEmbeddedPTX", "PTX; machine code comes with the device"},
	{"K3", "DynamicModule add_source/add_data/add_file/add_stdlib/link; DynamicSourceModule (rdc + cudadevrt)", Both, "Device.Link", "cuda.TestLink", "without dynamic parallelism"},
	{"K4", "on-disk cache compiler-cache-v1 (md5 of preprocessed source+options+nvcc version), PYCUDA_CACHE_DIR, PYCUDA_DISABLE_CACHE", Both, "CompileConfig.NoCache", "cuda.TestDebugInformationIsLazy", "on disk, atomic, locked across processes, checksummed"},
	{"K5", "DEFAULT_NVCC_FLAGS, PYCUDA_DEFAULT_NVCC_FLAGS", Both, "CompileConfig.Options", "cuda.TestCompileConfig", ""},
	{"K6", "auto arch from current device; auto extern \"C\" wrap", Both, "Device.Compile", "cuda.TestTarget", ""},
	{"K7", "metaprogramming guide (jinja2, codepy, cheetah)", Both, "CompileConfig.Options CompileConfig.Headers CompileConfig.NameExpressions", "cuda.TestCompileConfig", "text/template, -D options and templates of C++"},
	{"K8", "C++ template kernels by name expression", Both, "CompileConfig.NameExpressions Module.Function", "cuda.TestModuleNames", ""},
}

var toolRows = []Row{
	{"L1", "DeviceMemoryPool allocate/held_blocks/active_blocks/managed_bytes/active_bytes/free_held/stop_holding/bin_number/alloc_size; PooledDeviceAllocation", Both, "Device.NewMemoryPool AllocPooled MemoryPool.FreeHeld MemoryPool.Usage MemoryPool.Close", "cuda.TestMemoryPools cuda.TestPoolsYieldMemory", ""},
	{"L2", "PageLockedMemoryPool(PageLockedAllocator(flags)), PooledHostAllocation", Both, "Device.NewHostPool AllocHostPooled", "cuda.TestMemoryPools", ""},
	{"L3", "DebugMemoryPool(interactive, logfile)", Both, "Device.TraceAllocations Device.Leaks", "cuda.TestLeaksNameTheSite", ""},
	{"L4", "DeviceData(dev) max_threads … align_bytes/align/align_words/align_dtype/coalesce/make_valid_tex_channel_count", Both, "Device.Attributes Function.Occupancy", "cuda.TestAttributes cuda.TestLimitsAndPreferences", "alignments for coalescing are those of Alloc and AllocPitched"},
	{"L5", "OccupancyRecord(devdata, threads, shared_mem, registers) tb_per_mp/limited_by/warps_per_mp/occupancy", Both, "Function.Occupancy Function.SuggestBlock", "cuda.TestLimitsAndPreferences kit.Occupancy", "asked of the driver on a GPU"},
	{"L6", "context_dependent_memoize, clear_context_caches", Dropped, "", "", "modules and functions are values of their device; a map or sync.OnceValue keeps them"},
	{"L7", "register_dtype, get_or_register_dtype, dtype_to_ctype, struct args (demo_struct.py)", Both, "Function.Launch", "cuda.TestStructByValue", "Go structures, checked against the C layout where it is known"},
	{"L8", "VectorArg/ScalarArg/parse_c_arg/get_arg_type", Both, "Function.Params Signatures", "internal/gen.TestGenerate", "read from PTX and debug information, not parsed from text"},
	{"L9", "mark_cuda_test, init_cuda_context_fixture", Both, "cudatest.Each", "cuda/cudatest.TestEach", ""},
	{"L10", "characterize.platform_bits/has_stack/has_double_support/sizeof(type, preamble)", Both, "Signatures Function.Params", "internal/gen.TestGenerate", "sizes and members of types that kernels take; devices without stack or doubles are not supported"},
}

var gpuarrayRows = []Row{
	{"G1", "gpuarray.vec char1…double2 (make_float3 …)", Dropped, "", "", "Go structures and arrays are arguments of kernels (L7); arrays are made of numbers, with one axis more for vectors"},
	{"G2", "GPUArray(shape,dtype,*,allocator,order); gpudata shape dtype size mem_size nbytes strides flags ptr ndim __cuda_array_interface__(v3)", Both, "array.From array.FromBuffer array.Array.Shape array.Array.Strides array.Array.Size array.Array.Bytes array.Array.NDim array.Buffer", "kernels/array.TestViews kernels/array.TestBuffers", "row-major; Buffer gives the memory for other kernels; __cuda_array_interface__ is Python"},
	{"G3", "to_gpu to_gpu_async empty zeros ones empty_like zeros_like ones_like arange", Both, "array.From array.Zeros array.Ones array.Full array.Arange array.Linspace array.Indices", "kernels/array.TestExpression kernels/array.TestPrint", "a constant takes no memory until it is written"},
	{"G4", "set/set_async/get/get_async(pagelocked)/copy/fill", Both, "array.Array.Download array.Array.Assign array.Array.Copy array.Array.Eval", "kernels/array.TestInPlace", "Assign of a value is fill"},
	{"G5", "reshape(-1) ravel view(dtype) squeeze transpose T astype reverse", Both, "array.Array.Reshape array.Array.Ravel array.ViewAs array.Array.Squeeze array.Array.Transpose array.Array.T array.AsType array.Array.Flip", "kernels/array.TestViews kernels/array.TestNumPy kernels/array.TestBuffers", ""},
	{"G6", "__getitem__ slices incl. negative step, int, Ellipsis, newaxis; __setitem__", Both, "array.Array.Slice array.Array.Index array.NewAxis array.Ellipsis array.Array.Assign", "kernels/array.TestViews kernels/array.TestNumPy kernels/array.TestInPlace", "any number of axes, with or without gaps"},
	{"G7", "+ - * / abs neg pos, in-place, reflected", Both, "array.Array.Add array.Array.Sub array.Array.Mul array.Array.Div array.Array.FloorDiv array.Array.Pow array.Array.Neg array.Array.Abs array.Array.AddAssign", "kernels/array.TestNumPy kernels/array.TestInPlace", "broadcasts as NumPy; fused to one kernel; Scalar(ws, v).Sub(x) is the reflected form"},
	{"G8", "== != < <= > >=", Both, "array.Array.Equal array.Array.NotEqual array.Array.Less array.Array.LessEqual array.Array.Greater array.Array.GreaterEqual", "kernels/array.TestNumPy", "arrays of bool"},
	{"G9", "any all sum dot max min subset_sum subset_dot subset_max subset_min", Both, "array.Array.Any array.Array.All array.Array.Sum array.Array.Dot array.Array.Max array.Array.Min array.Array.ArgMax array.Array.Mean array.Array.Var array.Take", "kernels/array.TestNumPy kernels/array.TestViews kernels/array.TestDeterministic", "along any axes, the same bits on every device; a subset is Take, then the reduction"},
	{"G10", "take multi_take put-style multi_put multi_take_put", Both, "array.Take array.TakeFlat array.Put array.Compress array.FlatNonzero", "kernels/array.TestTakePut kernels/array.TestCompress", "indices are checked; of several values for one element the last is written; by masks, too"},
	{"G11", "if_positive where maximum minimum logical_and/or/not", Both, "array.IfPositive array.Where array.Array.Maximum array.Array.Minimum array.Array.And array.Array.Or array.Array.Not", "kernels/array.TestNumPy", ""},
	{"G12", "concatenate stack", Both, "array.Concatenate array.Stack", "kernels/array.TestNumPy kernels/array.TestBadInput", ""},
	{"G13", "real imag conj/conjugate; pycuda-complex.hpp", Both, "array.RealPart array.ImagPart array.Array.Conj array.Magnitude array.Phase array.Compose", "kernels/array.TestNumPy", ""},
	{"G14", "mul_add (axpbyz), bind_to_texref(_ext)", Both, "array.Array.MulAdd", "kernels/array.TestMulAdd", "textures are made of buffers (A6)"},
	{"G15", "pickle, __bool__/__str__/__hash__", Both, "array.Array.String array.Array.Format array.Array.Item", "kernels/array.TestPrint", "prints as NumPy; Download and interop/npy in place of pickle"},
	{"G16", "FFT / BLAS / linalg", Later, "", "", "of BLAS, gemm, batched gemm, gemv and ger stand in kernels/linalg"},
}

var mathRows = []Row{
	{"X1", "cumath fabs ceil floor exp log log10 sqrt sin cos tan asin acos atan sinh cosh tanh", Both, "array.Array.Abs array.Array.Ceil array.Array.Floor array.Array.Exp array.Array.Log array.Array.Log10 array.Array.Sqrt array.Array.Sin array.Array.Cos array.Array.Tan array.Array.Asin array.Array.Acos array.Array.Atan array.Array.Sinh array.Array.Cosh array.Array.Tanh", "kernels/array.TestFunctions kernels/array.TestNumPy", "and 20 more"},
	{"X2", "cumath fmod frexp ldexp modf", Both, "array.Array.Fmod array.Array.Frexp array.Array.Ldexp array.Array.Modf", "kernels/array.TestNumPy", ""},
	{"X3", "ElementwiseKernel(arguments, operation, name, keep, options, preamble); range=/slice=; get_texref", Both, "elementwise.New elementwise.Config elementwise.Range elementwise.Kernel.Launch", "kernels/elementwise.TestExpression kernels/elementwise.TestRange", "compiled once; CompileConfig.Embedded where there is no NVRTC"},
	{"X4", "ReductionKernel(dtype_out, neutral, reduce_expr, map_expr, arguments, …) out=", Both, "reduction.New reduction.Config reduction.Kernel.Run reduction.Kernel.Launch", "kernels/reduction.TestDeterministic kernels/reduction.TestCustom", "the same bits on every device"},
	{"X5", "InclusiveScanKernel / ExclusiveScanKernel", Both, "scan.Inclusive scan.Exclusive scan.InclusiveRows scan.InclusiveRuns scan.NewKernel scan.Kernel.Inclusive", "kernels/scan.TestScans kernels/scan.TestNumPy kernels/scan.TestCustom", "rows and runs too; the same bits on every device"},
	{"R1", "rand(shape,dtype)", Both, "random.Uniform random.New random.Library.NewGenerator", "kernels/random.TestReals32 kernels/random.TestStatistics", "numbers depend on seed and place only"},
	{"R2", "XORWOWRandomNumberGenerator, MRG32k3aRandomNumberGenerator", Both, "random.XORWOW random.Philox random.Config", "kernels/random.TestXORWOW kernels/random.TestKnownAnswers", "Philox 4x32-10 in place of MRG32k3a, which is not offered; XORWOW is seeded otherwise than cuRAND's"},
	{"R3", "Sobol32/ScrambledSobol32/Sobol64/ScrambledSobol64RandomNumberGenerator", Later, "", "", ""},
	{"R4", "fill/gen_uniform, _normal, _log_normal, _poisson; call_skip_ahead(_array/_sequence/_sequence_array)", Both, "random.Uniform random.Normal random.LogNormal random.Poisson random.Exponential random.Integers random.Permutation random.Choice random.Generator.Skip random.Generator.Seek random.Config.Stream", "kernels/random.TestPieces kernels/random.TestWords kernels/random.TestPoisson kernels/random.TestLogNormal kernels/random.TestStatistics", "any index of any stream can be sought"},
	{"R5", "seed_getter_uniform/unique, get_curand_version, generate_direction_vectors, generate_scramble_constants32/64", Dropped, "", "", "a seed is a number, and streams of one seed are independent; cuRAND is not used. Vectors and constants belong to R3"},
}

var otherRows = []Row{
	{"Z1", "sparse.packeted.PacketedSpMV, sparse.coordinate.CoordinateSpMV", Later, "", "", ""},
	{"Z2", "sparse.cg.solve_pkt_with_cg, CGStateContainer, IdentityOperator, DiagonalPreconditioner", Later, "", "", ""},
	{"Z3", "gl.make_context gl.autoinit graphics_map_flags", Both, "gl.New gl.Flags Device.OnGLDevice", "interop/gl.TestNoContext interop/gl.TestBuffer internal/nvidia.TestGraphicsImage", "any context that is current; gl/egl makes one without a window. On a GPU against the stand-in"},
	{"Z4", "gl.RegisteredBuffer / RegisteredImage gl_handle/unregister/map -> RegisteredMapping unmap/device_ptr_and_size/array(index,level)", Both, "gl.Interop.RegisterBuffer gl.Interop.RegisterImage gl.Buffer.Map gl.Image.Map gl.Mapping.DevicePtrAndSize gl.ImageMapping.Array gl.Mapping.Unmap gl.Interop.Leaked", "interop/gl.TestBuffer interop/gl.TestImage interop/gl.TestImageKernels internal/nvidia.TestGraphics internal/nvidia.TestGraphicsImage", "on a GPU against the stand-in"},
	{"Z5", "gl.init BufferObject BufferObjectMapping", Both, "gl.Interop.NewBufferObject gl.BufferObject.Map gl.BufferObjectMapping.DevicePtr gl.BufferObjectMapping.Size", "interop/gl.TestBufferObject", "deprecated in PyCUDA; thin wrappers of Z4, and nothing to initialise"},
	{"Z6", "graphics_register_flags", Both, "gl.ReadOnly gl.WriteDiscard gl.SurfaceLoadStore gl.TextureGather", "interop/gl.TestImageMistakes interop/gl.TestImageLevels", ""},
	{"Z7", "examples: hello_gpu, demo*, dump_properties, fill_gpu_with_nans, cai_*, from-wiki/ (31 files: 2d_fft, convolution, game_of_life, gl_interop, mandelbrot, matrixmul_*, multiple_threads, sobel_filter, sparse_solve, thrust_interop, …)", Later, "", "", ""},
}

var beyondRows = []Row{
	{"B1", "CUDA graphs: stream capture", Both, "Stream.BeginCapture Stream.EndCapture Stream.Capturing", "cuda.TestCapture kit.Capture kit.CaptureJoin kit.CaptureMisuse", ""},
	{"B2", "CUDA graphs: explicit node API + update", Both, "Device.NewGraph Graph.Kernel CopyNode FillNode Graph.HostFunc Graph.Join Graph.Graph Graph.Instantiate Executable.Launch", "cuda.TestGraph kit.Graph kit.GraphOutlives internal/hostdev.TestGraphBranches", "nodes that do not wait for each other run at the same time; update of a graph comes later"},
	{"B3", "Conditional graph nodes (if/while/switch)", Later, "", "", ""},
	{"B4", "Stream-ordered alloc (cuMemAllocAsync, pools)", Both, "Device.NewPool AllocFrom Pool.Usage Pool.Trim", "cuda.TestPools kit.AllocAsync kit.PoolFigures kit.PoolBound", ""},
	{"B5", "Virtual memory mgmt (cuMemCreate/Map)", Later, "", "", ""},
	{"B6", "Managed prefetch / advise", Both, "ManagedBuffer.Prefetch ManagedBuffer.Advise", "cuda.TestManagedAndRegisteredMemory kit.Managed", ""},
	{"B7", "NUMA-aware pinned/managed pools", Dropped, "", "", "page-locked memory is on the node of the thread that allocates it; numactl binds a process"},
	{"B8", "Green contexts / SM partition", Dropped, "", "", "for servers that share one GPU between programs; within one, streams have priorities and hetero shares devices"},
	{"B9", "Process checkpoint/restore", Dropped, "", "", "the matter of a tool outside the process (cuda-checkpoint)"},
	{"B10", "Cluster launch", GPUOnly, "LaunchConfig.Cluster Function.Clusters", "cuda.TestClusters cuda.TestNoClusters kit.Clusters", "compute capability 9.0 or later"},
	{"B11", "Cooperative launch", Both, "LaunchConfig.Cooperative", "cuda.TestCooperativeLaunch kit.CooperativeTooLarge internal/hostdev.TestGridGroups", ""},
	{"B12", "Programmatic dependent launch (PDL)", Both, "LaunchConfig.Early", "cuda.TestClusters cuda.TestNoClusters kit.Early", "devices that cannot start early keep the order"},
	{"B13", "TMA descriptors", Dropped, "", "", "instructions of compute capability 9.0 that no other device has; a descriptor is a structure of 128 bytes as an argument"},
	{"B14", "nvJitLink / device LTO", Both, "Device.Load Device.Link", "cuda.TestPTXNewerThanDriver internal/nvjitlink.TestLink", "where the driver is older than the PTX; no link-time optimisation; the host device needs none"},
	{"B15", "NVVM IR input", Dropped, "", "", "compilers that make NVVM IR make PTX, too, and that is loaded"},
	{"B16", "NVRTC compile (no nvcc)", Both, "Device.Compile", "cuda.TestKit", ""},
	{"B17", "Template name expressions", Both, "CompileConfig.NameExpressions", "cuda.TestModuleNames", ""},
	{"B18", "Precompiled headers", Dropped, "", "", "what a compile gives is kept on disk as a whole (B19); NVRTC option --pch passes through"},
	{"B19", "Program cache API (mem+disk LRU, cross-process)", Both, "CompileConfig.NoCache", "cuda.TestDebugInformationIsLazy", ""},
	{"B20", "Kernel arg info (offset,size)", Both, "Function.String", "cuda.TestBadArguments", ""},
	{"B21", "DLPack", Both, "dlpack.FromBuffer", "interop/dlpack.TestLoop interop/dlpack.TestToBuffer", ""},
	{"B22", "CUDA Array Interface", Dropped, "", "", "a protocol of Python objects; Foreign takes the address (F7)"},
	{"B23", "NVTX", Both, "StartRange Range.End Mark", "internal/nvtx.TestCalls internal/nvtx.TestAttach cuda.TestTrace", "a tool of NVTX 3 is attached by NVTX_INJECTION64_PATH, as its header does; else libnvToolsExt. No tool of NVIDIA has been attached yet"},
	{"B24", "CUPTI / NCCL / cuFile / cuTENSOR / cuDNN", Dropped, "", "", "libraries of their own; Device.Native and Stream.Native are what they take, Foreign what they give"},
	{"B25", "NVML system info", Dropped, "", "", "NVIDIA has NVML for Go (go-nvml); Info.UUID and Info.PCIBusID name the device there"},
	{"B26", "Host callbacks (cuLaunchHostFunc)", Both, "Stream.HostFunc Graph.HostFunc", "cuda.TestCapture kit.HostFunc kit.HostFuncOrder", ""},
	{"B27", "Stream priorities", Both, "StreamConfig.Priority Device.StreamPriorities", "kit.Priorities", ""},
	{"B28", "Batched memory ops", Dropped, "", "", "waits and writes between streams are events, with other processes those of B29"},
	{"B29", "External memory import (Vulkan/D3D)", Dropped, "", "", "OpenGL is served (Z3 to Z6); memory that was imported by others enters by Foreign"},
	{"B30", "CPU simulator", Both, "OpenHost", "cuda.TestCorpus", "the host device compiles CUDA C++, it does not simulate"},
	{"B31", "Memory-allocator plugin", Both, "Allocator Device.SetAllocator Device.DriverAllocator MemoryPool.Allocate", "cuda.TestAllocator cuda.TestAllocatorBound cuda.TestPoolAsAllocator", "pools draw from it, and are allocators themselves"},
	{"B32", "Multi-stream auto sync by events", Both, "Buffer.CopyTo", "cuda.TestCopiesSeeAllWork", "a copy without a stream waits for all streams that use the buffer"},
	{"B33", "Deferred cleanup queue", Both, "Buffer.Close", "cuda.TestDroppedBuffers", ""},
	{"B34", "Deferred-error channel for destructors", Both, "Device.Close", "cuda.TestEveryCallFailsInTurn", ""},
	{"B35", "Dynamic loading (no link-time libcuda)", Both, "Open", "internal/nvidia.TestNoDriver", ""},
	{"B36", "Builds/imports without toolkit", Both, "Device.Compile", "cuda.TestNoCompiler", ""},
	{"B37", "Python/own-language kernels", Dropped, "", "", "kernels are CUDA C++ or PTX"},
	{"B38", "Profiling aid", Both, "Device.Profile", "cuda.TestLimitsAndPreferences", ""},
	{"B39", "Auto-tuning", Later, "", "", ""},
	{"B40", "Low-occupancy / implicit-copy warnings", Dropped, "", "", "the library prints nothing; Function.Occupancy tells, and runtime/trace shows each copy (N20)"},
}

var newRows = []Row{
	{"N1", "CUDA C++ on CPU cores in the process, by the same program", Both, "OpenHost", "cuda.TestCorpus", ""},
	{"N2", "Shuffles, votes, atomics, shared, local and constant memory, barriers there", Both, "OpenHost", "cuda.TestCorpus", ""},
	{"N3", "One launch split over CPU and GPUs", Both, "hetero.OnCPU", "hostpar/hetero.TestSameBits", ""},
	{"N4", "Verify: one launch on two devices, compared in ulp", Both, "Verify Difference", "cuda.TestVerify cuda.TestDistance", ""},
	{"N5", "Arguments checked against the PTX before the driver is called", Both, "Function.Launch", "cuda.TestBadArguments", ""},
	{"N6", "Typed kernels for source compiled at run time", Both, "Bind3 Kernel3.Launch Input", "cuda.TestTypedKernels cuda.TestBindRefuses", "and `tandem gen` for source that is there at build time"},
	{"N7", "Out of bounds, misaligned and freed accesses named with thread and line", Both, "Fault HostConfig.Checks", "cuda.TestFaultNamesParameterThreadAndLine cuda.TestUseAfterFree", ""},
	{"N8", "Races in shared memory and divergent barriers found", Both, "HostConfig.Checks LaunchConfig.Checks", "cuda.TestDefects cuda.TestChecksOfOneLaunch", ""},
	{"N9", "A faulting GPU launch located by replay on the host device", Later, "", "", ""},
	{"N10", "A sticky error is attributed to the last launches", Both, "ErrPoisoned Fault", "cuda.TestFaultNamesParameterThreadAndLine cuda.TestCleanupLeavesTheFaultToTheWaiter", "where the device does not tell the kernel, the message lists the last launches"},
	{"N11", "Finalizers never call the driver; leaks with their site", Both, "Device.Leaks", "cuda.TestDroppedBuffers cuda.TestLeaksNameTheSite", ""},
	{"N12", "Devices always lists a usable host device and the reason of an unusable GPU", Both, "Devices", "cuda.TestDevices", ""},
	{"N13", "Compile cache that covers includes and name expressions, across processes", Both, "CompileConfig.NameExpressions", "internal/nvrtc.TestKeyCoversWhatTheResultDependsOn", ""},
	{"N14", "Parsed diagnostics, whole log, options, numbered source", Both, "CompileError CompileError.Numbered Diagnostic", "cuda.TestCompileError cuda.TestNumberedSource", ""},
	{"N15", "PTX newer than the driver: recompiled to machine code, both versions named", Both, "ErrDriverTooOld", "cuda.TestPTXNewerThanDriver", "by NVRTC, else by nvJitLink; the host device takes PTX of any version"},
	{"N16", "A context ends a kernel on the host device", Both, "Function.Run", "cuda.TestRunStopsItsKernel", ""},
	{"N17", "Channels for events in select, without a thread for each waiter", Both, "Event.Done", "cuda.TestManyWaitForEvents cuda.TestFaultClosesChannels", ""},
	{"N18", "Line coverage of CUDA C++", Both, "LaunchConfig.Cover", "cuda.TestCoverage", ""},
	{"N19", "Fuzzing of kernels with go test", Both, "cudatest.Fuzz", "cuda/cudatest.TestFuzzFinds", ""},
	{"N20", "Spans in runtime/trace and pprof labels", Both, "StartRange", "cuda.TestTrace cuda.TestProfilesNameKernels", ""},
	{"N21", "Tuner for raw kernels", Later, "", "", ""},
	{"N22", "Deterministic reductions for any split", Both, "hetero.Reduce reduction.Kernel.Run", "hostpar/hetero.TestReductionsHaveOneResult kernels/reduction.TestDeterministic", ""},
	{"N23", "Recorded calls replayed on the host device", Later, "", "", ""},
	{"N24", "In, Out, InOut ordered by streams with page-locked staging", Both, "In Out InOut", "internal/nvidia.TestLargeTransfers", ""},
	{"N25", "Embedded kernels behind the same handles", Both, "CompileConfig.Embedded", "cuda.TestEmbeddedPTX", ""},
}
