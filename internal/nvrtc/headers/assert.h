// Part of Tandem: assert calls the device's assertion handler, which ends the kernel with CUDA_ERROR_ASSERT. It may be
// included again after NDEBUG was defined or undefined, as C says.
#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#ifndef TANDEM_ASSERT_H
#define TANDEM_ASSERT_H
extern "C" __device__ void __assertfail(const char *message, const char *file, unsigned int line,
                                        const char *function, size_t charSize);
#endif
#define assert(condition) \
    ((condition) ? (void)0 : __assertfail(#condition, __FILE__, __LINE__, __func__, sizeof(char)))
#endif
#ifndef static_assert
#ifndef __cplusplus
#define static_assert _Static_assert
#endif
#endif
