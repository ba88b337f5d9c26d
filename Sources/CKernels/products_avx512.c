// The products of product.inc for AVX-512, and those of its extensions for 8 bits (VNNI) and bfloat16.
#if defined(__x86_64__)
#include <immintrin.h>

#include "products.h"

#define CK_LANES ck_lanes_avx512
#define CK_ROWS ck_rows_avx512
#define CK_GROUP ck_group_avx512

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
static inline __attribute__((always_inline)) __m512i quads(__m512i sum, __m512i x, __m512i w) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(x, w), _mm512_set1_epi16(1)));
}
#define CK_NAME(name) name##_avx512
#define CK_F32(a, b, c) __builtin_elementwise_fma(a, b, c)
#define CK_BF16_WIDE CK_F32
#define CK_I8_QUAD(sum, x, w) (CK_NAME(words)) quads((__m512i)(sum), (__m512i)(x), (__m512i)(w))
#include "product.inc"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma"))), apply_to = function)
#define CK_NAME(name) name##_avx512vnni
#define CK_I8_QUAD(sum, x, w) (CK_NAME(words)) _mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(w))
#include "product.inc"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"))), apply_to = function)
#define CK_NAME(name) name##_avx512bf16
#define CK_ROW_WORDS ck_line_row_words
#define CK_BF16_PAIR(sum, x, w) (CK_NAME(floats)) _mm512_dpbf16_ps((__m512)(sum), (__m512bh)(x), (__m512bh)(w))
#include "product.inc"
#pragma clang attribute pop
#endif
