// Element-wise work and row reductions over the pool: tiles of fixed size, each done by the chosen instruction set.
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "internal.h"

enum { tile_elements = 1 << 15, norm_rows = 64 };

typedef struct {
    const ck_kernels *k;
    float *out, *out2, *out3;
    const float *a, *b, *c, *d, *e;
    size_t n, dim, period;
    float s[7];
    void (*binary)(float *, const float *, const float *, size_t);
    void (*unary)(float *, const float *, size_t);
} job;

static size_t tiles(size_t n) { return (n + tile_elements - 1) / tile_elements; }

static size_t extent(const job *j, size_t tile) {
    size_t start = tile * tile_elements;
    return ck_smaller(tile_elements, j->n - start);
}

static void binary_tile(void *context, size_t tile) {
    job *j = context;
    size_t at = tile * tile_elements;
    j->binary(j->out + at, j->a + at, j->b + at, extent(j, tile));
}

static void unary_tile(void *context, size_t tile) {
    job *j = context;
    size_t at = tile * tile_elements;
    j->unary(j->out + at, j->a + at, extent(j, tile));
}

static void binary(void (*f)(float *, const float *, const float *, size_t), float *out, const float *a, const float *b,
                   size_t n) {
    CK_TIMED(ck_kind_elementwise, 0);
    job j = {.out = out, .a = a, .b = b, .n = n, .binary = f};
    ck_parallel(tiles(n), &j, binary_tile);
}

static void unary(void (*f)(float *, const float *, size_t), float *out, const float *a, size_t n) {
    CK_TIMED(ck_kind_elementwise, 0);
    job j = {.out = out, .a = a, .n = n, .unary = f};
    ck_parallel(tiles(n), &j, unary_tile);
}

void ck_add(const ck_kernels *k, float *out, const float *a, const float *b, size_t n) { binary(k->add, out, a, b, n); }
void ck_add_into(const ck_kernels *k, float *y, const float *x, size_t n) { binary(k->add, y, y, x, n); }
void ck_gelu(const ck_kernels *k, float *out, const float *x, size_t n) { unary(k->gelu, out, x, n); }
void ck_exp(const ck_kernels *k, float *x, size_t n) { k->exp(x, n); }
void ck_relu(const ck_kernels *k, float *out, const float *x, size_t n) { unary(k->relu, out, x, n); }

static void scale_tile(void *context, size_t tile) {
    job *j = context;
    size_t at = tile * tile_elements;
    j->k->scale(j->out + at, j->s[0], j->a + at, extent(j, tile));
}

void ck_scale(const ck_kernels *k, float *y, float scale, const float *x, size_t n) {
    CK_TIMED(ck_kind_elementwise, 0);
    job j = {.k = k, .out = y, .a = x, .n = n, .s = {scale}};
    ck_parallel(tiles(n), &j, scale_tile);
}

void ck_gelu_backward(const ck_kernels *k, float *dx, const float *dy, const float *x, size_t n) {
    binary(k->gelu_backward, dx, dy, x, n);
}

void ck_relu_backward(const ck_kernels *k, float *dx, const float *dy, const float *x, size_t n) {
    binary(k->relu_backward, dx, dy, x, n);
}

static void add_rows_tile(void *context, size_t tile) {
    job *j = context;
    size_t first = tile * norm_rows, last = ck_smaller(j->n, first + norm_rows);
    for (size_t r = first; r < last; r++)
        j->k->add(j->out + r * j->dim, j->a + r * j->dim, j->b + r % j->period * j->dim, j->dim);
}

void ck_add_rows(const ck_kernels *k, float *out, const float *x, const float *bias, size_t rows, size_t period, size_t dim) {
    CK_TIMED(ck_kind_elementwise, 0);
    job j = {.k = k, .out = out, .a = x, .b = bias, .n = rows, .period = period, .dim = dim};
    ck_parallel((rows + norm_rows - 1) / norm_rows, &j, add_rows_tile);
}

// Columns are cut into tiles, so every sum runs over the rows in order.
enum { sum_columns = 64 };

static void sum_rows_tile(void *context, size_t tile) {
    job *j = context;
    size_t per_row = (j->dim + sum_columns - 1) / sum_columns;
    size_t phase = tile / per_row, at = tile % per_row * sum_columns;
    size_t width = ck_smaller(sum_columns, j->dim - at);
    float *sum = j->out + phase * j->dim + at;
    for (size_t r = phase; r < j->n; r += j->period) j->k->add(sum, sum, j->a + r * j->dim + at, width);
}

void ck_sum_rows(const ck_kernels *k, float *sum, const float *x, size_t rows, size_t period, size_t dim) {
    CK_TIMED(ck_kind_elementwise, 0);
    job j = {.k = k, .out = sum, .a = x, .n = rows, .period = period, .dim = dim};
    ck_parallel(period * ((dim + sum_columns - 1) / sum_columns), &j, sum_rows_tile);
}

static void layer_norm_tile(void *context, size_t tile) {
    job *j = context;
    size_t at = tile * norm_rows, rows = ck_smaller(norm_rows, j->n - at);
    j->k->layer_norm(j->out + at * j->dim, j->out2 ? j->out2 + at : NULL, j->out3 ? j->out3 + at : NULL,
                             j->a + at * j->dim, j->b, j->c, rows, j->dim, j->s[0]);
}

void ck_layer_norm(const ck_kernels *k, float *out, float *mean, float *rstd, const float *x, const float *weight, const float *bias,
                   size_t rows, size_t dim, float epsilon) {
    CK_TIMED(ck_kind_norm, 0);
    job j = {.k = k, .out = out, .out2 = mean, .out3 = rstd, .a = x, .b = weight, .c = bias, .n = rows, .dim = dim, .s = {epsilon}};
    ck_parallel((rows + norm_rows - 1) / norm_rows, &j, layer_norm_tile);
}

static void layer_norm_backward_tile(void *context, size_t tile) {
    job *j = context;
    size_t at = tile * norm_rows, rows = ck_smaller(norm_rows, j->n - at), dim = j->dim;
    float *part = j->out2 ? j->out2 + tile * 2 * dim : NULL;
    if (part)
        for (size_t i = 0; i < 2 * dim; i++) part[i] = 0;
    j->k->layer_norm_backward(j->out + at * dim, part, part ? part + dim : NULL, j->a + at * dim, j->b + at * dim,
                                      j->c, j->d + at, j->e + at, rows, dim);
}

void ck_layer_norm_backward(const ck_kernels *k, float *dx, float *dweight, float *dbias, const float *dy, const float *x, const float *weight,
                            const float *mean, const float *rstd, size_t rows, size_t dim, float *scratch) {
    CK_TIMED(ck_kind_norm, 0);
    size_t count = (rows + norm_rows - 1) / norm_rows;
    job j = {.k = k, .out = dx, .out2 = dweight ? scratch : NULL, .a = dy, .b = x, .c = weight, .d = mean, .e = rstd, .n = rows,
             .dim = dim};
    ck_parallel(count, &j, layer_norm_backward_tile);
    if (dweight)
        for (size_t tile = 0; tile < count; tile++) {
            k->add(dweight, dweight, scratch + tile * 2 * dim, dim);
            k->add(dbias, dbias, scratch + tile * 2 * dim + dim, dim);
        }
}

float ck_log(float x) { return logf(x); }
float ck_expf(float x) { return expf(x); }
double ck_cos(double x) { return cos(x); }
double ck_sin(double x) { return sin(x); }
double ck_log_d(double x) { return log(x); }
double ck_pow(double x, double y) { return pow(x, y); }

double ck_sum_squares(const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * x[i];
    return sum;
}

bool ck_all_finite(const float *x, size_t n) {
    uint32_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, 4);
        wrong |= (bits & 0x7f800000) == 0x7f800000;
    }
    return !wrong;
}

typedef struct {
    const ck_kernels *k;
    float *out;
    const char *stored;
    ck_stored type;
    size_t n;
    atomic_bool wrong;
} decoding;

static void decode_tile(void *context, size_t tile) {
    decoding *j = context;
    size_t at = tile * tile_elements, n = ck_smaller(tile_elements, j->n - at);
    const char *from = j->stored + at * (j->type == ck_stored_f32 ? 4 : 2);
    if (!j->k->decode(j->out + at, from, j->type, n)) atomic_store(&j->wrong, true);
}

bool ck_decode(const ck_kernels *k, float *out, const void *stored, ck_stored type, size_t n) {
    CK_TIMED(ck_kind_elementwise, 0);
    decoding j = {.k = k, .out = out, .stored = stored, .type = type, .n = n};
    ck_parallel(tiles(n), &j, decode_tile);
    return !atomic_load(&j.wrong);
}

static void encode_tile(void *context, size_t tile) {
    job *j = context;
    size_t at = tile * tile_elements;
    j->k->pack_bf16((uint16_t *)j->out + at, j->a + at, extent(j, tile));
}

void ck_encode_bf16(const ck_kernels *k, void *out, const float *x, size_t n) {
    CK_TIMED(ck_kind_elementwise, 0);
    job j = {.k = k, .out = out, .a = x, .n = n};
    ck_parallel(tiles(n), &j, encode_tile);
}

static void adamw_tile(void *context, size_t tile) {
    job *j = context;
    size_t at = tile * tile_elements;
    j->k->adamw(j->out + at, j->out2 + at, j->out3 + at, j->a + at, extent(j, tile), j->s[0], j->s[1], j->s[2],
                        j->s[3], j->s[4], j->s[5], j->s[6]);
}

void ck_adamw(const ck_kernels *k, float *parameter, float *m, float *v, const float *gradient, size_t n, float learning_rate, float beta1,
              float beta2, float epsilon, float decay, float correction1, float correction2) {
    CK_TIMED(ck_kind_elementwise, 0);
    job j = {.k = k, .out = parameter, .out2 = m, .out3 = v, .a = gradient, .n = n,
             .s = {learning_rate, beta1, beta2, epsilon, decay, correction1, correction2}};
    ck_parallel(tiles(n), &j, adamw_tile);
}
