// The products of product.inc under every instruction set.
#ifndef CK_PRODUCTS_H
#define CK_PRODUCTS_H

#include "internal.h"

#define CK_DECLARE(set)                                                                                                    \
    ck_panel_product ck_panel_f32_##set, ck_panel_bf16_wide_##set, ck_panel_i8_##set; \
    ck_peak_function ck_peak_f32_##set, ck_peak_i8_##set;

CK_DECLARE(portable)
#if defined(__x86_64__)
CK_DECLARE(avx2)
CK_DECLARE(avx512)
ck_panel_product ck_panel_i8_avxvnni, ck_panel_i8_avx512vnni, ck_panel_bf16_avx512bf16;
ck_peak_function ck_peak_i8_avxvnni, ck_peak_i8_avx512vnni, ck_peak_bf16_avx512bf16;
#endif

#endif
