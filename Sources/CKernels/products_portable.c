// The products of product.inc in plain C.
#include "products.h"

#define CK_LANES ck_lanes_portable
#define CK_ROWS ck_rows_portable
#define CK_GROUP ck_group_portable

static inline int32_t quad(int32_t sum, int32_t x, int32_t w) {
    for (int i = 0; i < 32; i += 8) sum += (int32_t)(uint8_t)(x >> i) * (int8_t)(w >> i);
    return sum;
}

typedef int32_t four __attribute__((vector_size(16), aligned(4), may_alias));

static inline four quads(four sum, four x, four w) {
    for (int i = 0; i < 4; i++) sum[i] = quad(sum[i], x[i], w[i]);
    return sum;
}

#define CK_NAME(name) name##_portable
#define CK_F32(a, b, c) ((a) * (b) + (c))
#define CK_BF16_WIDE CK_F32
#define CK_I8_QUAD quads
#include "product.inc"
