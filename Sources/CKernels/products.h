// The products of product.inc under every instruction set.
#ifndef CK_PRODUCTS_H
#define CK_PRODUCTS_H

#include "internal.h"

enum {
    /// Words a vector, rows whose sums stay in registers, and columns of a panel that lie together.
    ck_lanes_portable = 4,
    ck_rows_portable = 4,
    ck_group_portable = 32,
    ck_lanes_avx2 = 8,
    ck_rows_avx2 = 6,
    ck_group_avx2 = 16,
    ck_lanes_avx512 = 16,
    ck_rows_avx512 = 14,
    ck_group_avx512 = 32,
    ck_rows_amx = 32,
    /// Vectors of a round of ck_peak_function; and of AMX, the words that its four pairs of tiles multiply.
    ck_peak_vectors = 12,
    ck_peak_tile_words = 4 * 16 * 16 * 16,
};

#define CK_DECLARE(set)                                                                                                    \
    ck_panel_product ck_panel_f32_##set, ck_panel_bf16_wide_##set, ck_panel_i8_##set; \
    ck_peak_function ck_peak_f32_##set, ck_peak_i8_##set;

CK_DECLARE(portable)
#if defined(__x86_64__)
CK_DECLARE(avx2)
CK_DECLARE(avx512)
ck_panel_product ck_panel_i8_avxvnni, ck_panel_i8_avx512vnni, ck_panel_bf16_avx512bf16;
ck_peak_function ck_peak_i8_avxvnni, ck_peak_i8_avx512vnni, ck_peak_bf16_avx512bf16;
/// Lets AVX512_BF16's instructions round.
void ck_round_by_avx512bf16(ck_kernels *);
#if defined(__linux__)
/// Whether this CPU has AMX for bfloat16 and 8 bits, and the system lets this process use it: asked for here.
bool ck_amx_available(void);
ck_panel_product ck_panel_bf16_amx, ck_panel_i8_amx;
ck_peak_function ck_peak_bf16_amx, ck_peak_i8_amx;
#endif
#endif

#endif
