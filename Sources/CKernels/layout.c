// Copies between layouts; every output element has one writer.
#include <string.h>

#include "internal.h"

void ck_patch(float *out, const float *image, const ck_patches *p, size_t row) {
    size_t column = row % p->out_width, line = row / p->out_width % p->out_height, b = row / p->out_width / p->out_height;
    size_t c = p->channels, x = column * p->stride;  // shifted by the padding
    size_t from = ck_smaller(x < p->padding ? p->padding - x : 0, p->kernel), to = ck_smaller(p->width + p->padding - x, p->kernel);
    for (size_t ky = 0; ky < p->kernel; ky++, out += p->kernel * c) {
        size_t y = line * p->stride + ky;
        if (y < p->padding || y - p->padding >= p->height || from >= to) {
            memset(out, 0, p->kernel * c * sizeof(float));
            continue;
        }
        const float *pixel = image + ((b * p->height + y - p->padding) * p->width + x + from - p->padding) * c;
        memset(out, 0, from * c * sizeof(float));
        memcpy(out + from * c, pixel, (to - from) * c * sizeof(float));
        memset(out + to * c, 0, (p->kernel - to) * c * sizeof(float));
    }
}

typedef struct {
    const ck_kernels *k;
    float *out;
    const float *in;
    const ck_patches *patches;
} conv;

static void im2col_line(void *context, size_t tile) {
    const conv *j = context;
    const ck_patches *p = j->patches;
    for (size_t row = tile * p->out_width; row < (tile + 1) * p->out_width; row++)
        ck_patch(j->out + row * p->kernel * p->kernel * p->channels, j->in, p, row);
}

void ck_im2col(float *columns, const float *image, const ck_patches *patches) {
    CK_TIMED(ck_kind_layout, 0);
    conv j = {NULL, columns, image, patches};
    ck_parallel(patches->batch * patches->out_height, &j, im2col_line);
}

static void col2im_row(void *context, size_t tile) {
    const conv *j = context;
    const ck_patches *p = j->patches;
    size_t b = tile / p->height, y = tile % p->height + p->padding, c = p->channels, k = p->kernel;
    float *out = j->out + tile * p->width * c;
    memset(out, 0, p->width * c * sizeof(float));
    for (size_t ky = 0; ky < k; ky++) {
        if (y < ky || (y - ky) % p->stride != 0 || (y - ky) / p->stride >= p->out_height) continue;
        const float *row = j->in + (b * p->out_height + (y - ky) / p->stride) * p->out_width * k * k * c;
        for (size_t ox = 0; ox < p->out_width; ox++)
            for (size_t kx = 0; kx < k; kx++) {
                size_t x = ox * p->stride + kx;
                if (x < p->padding || x - p->padding >= p->width) continue;
                float *to = out + (x - p->padding) * c;
                j->k->add(to, to, row + (ox * k * k + ky * k + kx) * c, c);
            }
    }
}

void ck_col2im(const ck_kernels *k, float *image, const float *columns, const ck_patches *patches) {
    CK_TIMED(ck_kind_layout, 0);
    conv j = {k, image, columns, patches};
    ck_parallel(patches->batch * patches->height, &j, col2im_row);
}

typedef struct {
    float *out;
    const float *in;
    size_t grid, window, count, dim;
} windows;

static void partition_row(void *context, size_t tile) {
    const windows *j = context;
    size_t w = j->window, n = j->count, wy = tile % w, index = tile / w;  // index over batch, n, n
    size_t b = index / (n * n), y = index / n % n * w + wy, x = index % n * w, g = j->grid, d = j->dim;
    float *out = j->out + tile * w * d;
    size_t inside = y >= g || x >= g ? 0 : ck_smaller(w, g - x);
    if (inside) memcpy(out, j->in + ((b * g + y) * g + x) * d, inside * d * sizeof(float));
    memset(out + inside * d, 0, (w - inside) * d * sizeof(float));
}

void ck_window_partition(float *out, const float *tokens, size_t batch, size_t grid, size_t window, size_t dim) {
    CK_TIMED(ck_kind_layout, 0);
    windows j = {out, tokens, grid, window, (grid + window - 1) / window, dim};
    ck_parallel(batch * j.count * j.count * window, &j, partition_row);
}

static void unpartition_row(void *context, size_t tile) {
    const windows *j = context;
    size_t w = j->window, n = j->count, g = j->grid, d = j->dim, b = tile / g, y = tile % g;
    float *out = j->out + tile * g * d;
    for (size_t x = 0; x < g; x += w) {
        size_t index = (b * n + y / w) * n + x / w, inside = ck_smaller(w, g - x);
        memcpy(out + x * d, j->in + (index * w + y % w) * w * d, inside * d * sizeof(float));
    }
}

void ck_window_unpartition(float *tokens, const float *in, size_t batch, size_t grid, size_t window, size_t dim) {
    CK_TIMED(ck_kind_layout, 0);
    windows j = {tokens, in, grid, window, (grid + window - 1) / window, dim};
    ck_parallel(batch * grid, &j, unpartition_row);
}

void ck_pixel_shuffle(float *out, const float *in, size_t rows, size_t width, size_t c) {
    CK_TIMED(ck_kind_layout, 0);
    for (size_t row = 0; row < rows; row++)
        for (size_t dy = 0; dy < 2; dy++)
            for (size_t x = 0; x < width; x++)
                memcpy(out + ((row * 2 + dy) * 2 * width + 2 * x) * c, in + ((row * width + x) * 2 + dy) * 2 * c,
                       2 * c * sizeof(float));
}

void ck_pixel_unshuffle(float *out, const float *in, size_t rows, size_t width, size_t c) {
    CK_TIMED(ck_kind_layout, 0);
    for (size_t row = 0; row < rows; row++)
        for (size_t dy = 0; dy < 2; dy++)
            for (size_t x = 0; x < width; x++)
                memcpy(out + ((row * width + x) * 2 + dy) * 2 * c, in + ((row * 2 + dy) * 2 * width + 2 * x) * c,
                       2 * c * sizeof(float));
}

void ck_transpose(float *out, const float *in, size_t rows, size_t columns) {
    CK_TIMED(ck_kind_layout, 0);
    enum { block = 32 };
    for (size_t i = 0; i < rows; i += block)
        for (size_t j = 0; j < columns; j += block)
            for (size_t r = i; r < rows && r < i + block; r++)
                for (size_t c = j; c < columns && c < j + block; c++) out[c * rows + r] = in[r * columns + c];
}
