// Copies between layouts; every output element has one writer.
#include <string.h>

#include "internal.h"

typedef struct {
    const ck_kernels *k;
    float *out;
    const float *in;
    size_t batch, height, width, channels, kernel, stride, padding, oh, ow, first;
} conv;

static conv conv_job(const ck_kernels *k, float *out, const float *in, size_t batch, size_t height, size_t width, size_t channels, size_t kernel,
                     size_t stride, size_t padding) {
    return (conv){k, out, in, batch, height, width, channels, kernel, stride, padding,
                  (height + 2 * padding - kernel) / stride + 1, (width + 2 * padding - kernel) / stride + 1, 0};
}

static void im2col_row(void *context, size_t tile) {
    const conv *j = context;
    size_t b = (j->first + tile) / j->oh, oy = (j->first + tile) % j->oh, c = j->channels;
    float *out = j->out + tile * j->ow * j->kernel * j->kernel * c;
    for (size_t ox = 0; ox < j->ow; ox++)
        for (size_t ky = 0; ky < j->kernel; ky++)
            for (size_t kx = 0; kx < j->kernel; kx++, out += c) {
                size_t y = oy * j->stride + ky, x = ox * j->stride + kx;  // shifted by the padding
                if (y < j->padding || x < j->padding || y - j->padding >= j->height || x - j->padding >= j->width)
                    memset(out, 0, c * sizeof(float));
                else
                    memcpy(out, j->in + ((b * j->height + y - j->padding) * j->width + x - j->padding) * c,
                           c * sizeof(float));
            }
}

void ck_im2col(float *columns, const float *image, size_t batch, size_t height, size_t width, size_t channels, size_t kernel,
               size_t stride, size_t padding, size_t first, size_t rows) {
    CK_TIMED(ck_kind_layout, 0);
    conv j = conv_job(NULL, columns, image, batch, height, width, channels, kernel, stride, padding);
    j.first = first;
    ck_parallel(rows, &j, im2col_row);
}

static void col2im_row(void *context, size_t tile) {
    const conv *j = context;
    size_t b = tile / j->height, y = tile % j->height + j->padding, c = j->channels, k = j->kernel;
    float *out = j->out + tile * j->width * c;
    memset(out, 0, j->width * c * sizeof(float));
    for (size_t ky = 0; ky < k; ky++) {
        if (y < ky || (y - ky) % j->stride != 0 || (y - ky) / j->stride >= j->oh) continue;
        const float *row = j->in + (b * j->oh + (y - ky) / j->stride) * j->ow * k * k * c;
        for (size_t ox = 0; ox < j->ow; ox++)
            for (size_t kx = 0; kx < k; kx++) {
                size_t x = ox * j->stride + kx;
                if (x < j->padding || x - j->padding >= j->width) continue;
                float *to = out + (x - j->padding) * c;
                j->k->add(to, to, row + (ox * k * k + ky * k + kx) * c, c);
            }
    }
}

void ck_col2im(const ck_kernels *k, float *image, const float *columns, size_t batch, size_t height, size_t width, size_t channels, size_t kernel,
               size_t stride, size_t padding) {
    CK_TIMED(ck_kind_layout, 0);
    conv j = conv_job(k, image, columns, batch, height, width, channels, kernel, stride, padding);
    ck_parallel(batch * height, &j, col2im_row);
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
    size_t inside = y >= g || x >= g ? 0 : g - x < w ? g - x : w;
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
        size_t index = (b * n + y / w) * n + x / w, inside = g - x < w ? g - x : w;
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
