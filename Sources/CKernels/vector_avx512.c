// The kernels of vector.inc, compiled for avx512; and those of bfloat16.inc where instructions round.
#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define CK_NAME(name) name##_avx512
#include "vector.inc"
#undef CK_NAME
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"))), apply_to = function)
#define CK_NAME(name) name##_avx512bf16
#define CK_HALVES(first, second) (CK_NAME(h32)) _mm512_cvtne2ps_pbh((__m512)(second), (__m512)(first))
enum { ck_group_avx512bf16 = ck_group_avx512 };
#include "bfloat16.inc"
#pragma clang attribute pop

void ck_round_by_avx512bf16(ck_kernels *k) {
    k->softmax_block = softmax_block_avx512bf16, k->pack_bf16 = pack_bf16_avx512bf16, k->pack_values = pack_values_avx512bf16;
}
#endif
