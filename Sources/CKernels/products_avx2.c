// The products of product.inc for AVX2, and the 8-bit one for AVX-VNNI.
#if defined(__x86_64__)
#include <immintrin.h>

#include "products.h"

#define CK_LANES ck_lanes_avx2
#define CK_ROWS ck_rows_avx2
#define CK_GROUP ck_group_avx2

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
static inline __attribute__((always_inline)) __m256i quads(__m256i sum, __m256i x, __m256i w) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), _mm256_set1_epi16(1)));
}
#define CK_NAME(name) name##_avx2
#define CK_F32(a, b, c) __builtin_elementwise_fma(a, b, c)
#define CK_BF16_WIDE CK_F32
#define CK_I8_QUAD(sum, x, w) (CK_NAME(words)) quads((__m256i)(sum), (__m256i)(x), (__m256i)(w))
#include "product.inc"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)
#define CK_NAME(name) name##_avxvnni
#define CK_I8_QUAD(sum, x, w) (CK_NAME(words)) _mm256_dpbusd_avx_epi32((__m256i)(sum), (__m256i)(x), (__m256i)(w))
#include "product.inc"
#pragma clang attribute pop
#endif
