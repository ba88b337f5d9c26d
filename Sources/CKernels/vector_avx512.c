// The kernels of vector.inc, compiled for avx512.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define CK_NAME(name) name##_avx512
#include "vector.inc"
#pragma clang attribute pop
#endif
