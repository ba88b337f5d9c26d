// Linear layers with weights in tile order: rows are normed and packed, multiplied panel by panel, and finished while their
// sums are in the cache. A tile is a block of rows (and, of few rows, some of the panels): cut by shape alone.
#include <string.h>

#include "internal.h"

static size_t at_least_one(size_t n) { return n ? n : 1; }
static size_t steps_of(ck_type type, size_t k) { return ck_ceiling(k, ck_elements(type)); }
static size_t panels_of(size_t n) { return ck_ceiling(n, ck_panel_columns); }
static size_t align(size_t bytes) { return ck_ceiling(bytes, 64) * 64; }

// ---- weights

size_t ck_matrix_bytes(ck_type type, size_t n, size_t k) {
    size_t columns = panels_of(n) * ck_panel_columns, bytes = align(columns * steps_of(type, k) * 4);
    return type == ck_type_i8 ? bytes + 2 * align(columns * 4) + align(k * 4) : bytes;
}

ck_matrix ck_matrix_at(const ck_kernels *kernels, ck_type type, size_t n, size_t k, void *memory) {
    size_t columns = panels_of(n) * ck_panel_columns;
    char *at = (char *)memory + align(columns * steps_of(type, k) * 4);
    ck_matrix m = {kernels, type, n, k, memory, NULL, NULL, NULL};
    if (type == ck_type_i8) {
        m.scales = (float *)at;
        m.offsets = (int32_t *)(at + align(columns * 4));
        m.input_scale = (float *)(at + 2 * align(columns * 4));
    }
    return m;
}

void ck_pack_panel(const ck_kernels *k, ck_type type, void *panel, const float *const rows[32], size_t length) {
    enum { chunk = 64 };
    int32_t words[32 * (chunk + 1)];
    size_t e = ck_elements(type), steps = steps_of(type, length);
    for (size_t s = 0; s < steps; s += chunk) {
        size_t count = steps - s < chunk ? steps - s : chunk, n = length - s * e < count * e ? length - s * e : count * e;
        for (size_t c = 0; c < 32; c++) {
            int32_t *row = words + c * (chunk + 1);
            if (!rows[c]) memset(row, 0, count * 4);
            else if (type == ck_type_f32) memcpy(row, rows[c] + s, n * 4);
            else k->pack_bf16(row, rows[c] + s * e, n);
        }
        k->turn((int32_t *)panel + s * 32, 32, words, chunk + 1, count);
    }
}

typedef struct {
    const ck_matrix *m;
    const float *weight;
} packing;

static void pack_bytes(const ck_matrix *m, const float *weight, size_t p) {
    enum { chunk = 64 };
    int32_t words[32 * (chunk + 1)];
    size_t steps = steps_of(m->type, m->k), columns = m->n - p * 32 < 32 ? m->n - p * 32 : 32;
    float *scales = m->scales + p * 32;
    int32_t *offsets = m->offsets + p * 32;
    for (size_t c = 0; c < 32; c++) {
        scales[c] = c < columns ? m->kernels->largest_quotient(weight + (p * 32 + c) * m->k, m->input_scale, m->k) / 63.0f : 0;
        offsets[c] = 0;
    }
    for (size_t s = 0; s < steps; s += chunk) {
        size_t count = steps - s < chunk ? steps - s : chunk, i = s * 4, n = m->k - i < count * 4 ? m->k - i : count * 4;
        for (size_t c = 0; c < 32; c++) {
            int32_t *row = words + c * (chunk + 1);
            if (scales[c] > 0)
                offsets[c] += 128 * m->kernels->quantise_quotient((int8_t *)row, weight + (p * 32 + c) * m->k + i,
                                                                  m->input_scale + i, scales[c], n);
            else memset(row, 0, count * 4);
        }
        m->kernels->turn((int32_t *)m->panels + (p * steps + s) * 32, 32, words, chunk + 1, count);
    }
}

static void pack_tile(void *context, size_t p) {
    const packing *j = context;
    const ck_matrix *m = j->m;
    if (m->type == ck_type_i8) return pack_bytes(m, j->weight, p);
    const float *rows[32];
    for (size_t c = 0; c < 32; c++) rows[c] = p * 32 + c < m->n ? j->weight + (p * 32 + c) * m->k : NULL;
    ck_pack_panel(m->kernels, m->type, (char *)m->panels + p * steps_of(m->type, m->k) * 128, rows, m->k);
}

void ck_matrix_pack(const ck_matrix *m, const float *weight, const float *input_scale) {
    if (m->type == ck_type_i8)
        for (size_t i = 0; i < m->k; i++) m->input_scale[i] = input_scale ? input_scale[i] : 1.0f;
    packing j = {m, weight};
    ck_parallel(panels_of(m->n), &j, pack_tile);
}

// ---- layers

// Where a thread's scratch memory holds what; in floats.
typedef struct {
    size_t rows, chunk, tiles_m, tiles_n;
    size_t packed, packed2, hidden, sums, row, smooth, scales, total;
} plan;

static size_t packed_words(const ck_matrix *m) {
    return ck_ceiling(steps_of(m->type, m->k), ck_block_steps) * ck_row_words * m->kernels->products[m->type].words;
}

static plan plan_of(const ck_layer *l) {
    plan p = {0};
    const ck_matrix *a = l->first, *b = l->second;
    size_t hidden = b && b->type == ck_type_i8 ? ck_ceiling(a->n, 32) * 32 : 0;
    size_t words = packed_words(a) + (b ? packed_words(b) + hidden : 0);
    // A tile's rows stay in the second cache beside a panel of weights.
    size_t rows = (1 << 18) / words / 14 * 14, even = ck_ceiling(ck_ceiling(l->rows, 16), 14) * 14;
    rows = rows < 28 ? 28 : rows > 224 ? 224 : rows;
    rows = even < rows ? even : rows;
    p.rows = rows < 28 ? 28 : rows;
    p.tiles_m = ck_ceiling(l->rows, p.rows);
    size_t panels = panels_of(a->n);
    p.tiles_n = b || p.tiles_m >= 16 ? 1 : ck_ceiling(16, at_least_one(p.tiles_m));
    p.chunk = ck_ceiling(panels, p.tiles_n);
    p.tiles_n = ck_ceiling(panels, at_least_one(p.chunk));
    size_t widest = b && b->k > a->k ? b->k : a->k;
    p.packed = 0;
    p.packed2 = p.packed + p.rows * packed_words(a);
    p.hidden = p.packed2 + (b ? p.rows * packed_words(b) : 0);
    p.sums = p.hidden + p.rows * hidden;
    p.row = p.sums + 2 * p.rows * 32;
    p.smooth = p.row + ck_ceiling(widest, 16) * 16;
    p.scales = p.smooth + ck_ceiling(widest, 16) * 16;
    p.total = ck_ceiling(p.scales + 2 * p.rows, 16) * 16;
    return p;
}

size_t ck_layer_scratch(const ck_layer *l) { return plan_of(l).total; }

typedef struct {
    const ck_layer *l;
    plan p;
    float *scratch;
} layer_job;

// Where element i of packed row r begins: rows lie in blocks along k.
static char *packed_at(float *packed, const ck_matrix *m, size_t rows, size_t r, size_t element) {
    size_t words = m->kernels->products[m->type].words, step = element / ck_elements(m->type);
    size_t block = step / ck_block_steps;
    return (char *)packed + ((block * rows + r) * ck_row_words + step % ck_block_steps) * 4 * words;
}

static void pack_row(const ck_matrix *m, float *packed, size_t rows, size_t r, const float *x, float *smooth, float *scale) {
    size_t block = ck_block_steps * ck_elements(m->type);
    if (m->type == ck_type_i8) {
        m->kernels->multiply(smooth, x, m->input_scale, m->k);
        x = smooth;
        *scale = m->kernels->quantise_scale(x, m->k);
    }
    for (size_t i = 0; i < m->k; i += block) {
        size_t n = m->k - i < block ? m->k - i : block;
        char *to = packed_at(packed, m, rows, r, i);
        if (m->type == ck_type_i8) m->kernels->quantise((uint8_t *)to, x + i, *scale, n);
        else m->kernels->products[m->type].pack(to, x + i, n);
    }
}

// sums [rows, 32] = packed rows · panel, and what they still need.
static ck_finish multiply_panel(const ck_matrix *m, const float *packed, size_t capacity, size_t rows, size_t panel,
                                float *sums, const float *row_scales, const float *bias) {
    const ck_product *product = &m->kernels->products[m->type];
    size_t steps = steps_of(m->type, m->k);
    const char *weights = (const char *)m->panels + panel * steps * 128;
    if (steps == 0) memset(sums, 0, rows * 128);
    for (size_t s = 0, block = 0; s < steps; s += ck_block_steps, block++)
        product->panel(rows, packed + block * capacity * ck_row_words * product->words, weights + s * 128,
                       steps - s < ck_block_steps ? steps - s : ck_block_steps, sums, 32, s > 0);
    ck_finish f = {.bias = bias ? bias + panel * 32 : NULL};
    if (m->type == ck_type_i8) f.offsets = m->offsets + panel * 32, f.scales = m->scales + panel * 32, f.row_scales = row_scales;
    return f;
}

static void layer_tile(void *context, size_t tile) {
    const layer_job *j = context;
    const ck_layer *l = j->l;
    const plan *p = &j->p;
    const ck_matrix *a = l->first, *b = l->second;
    const ck_kernels *k = a->kernels;
    float *s = j->scratch + ck_worker() * p->total, *sums = s + p->sums, *finished = sums + p->rows * 32, *scales = s + p->scales;
    size_t first = tile / p->tiles_n * p->rows, rows = l->rows - first < p->rows ? l->rows - first : p->rows;
    size_t from = tile % p->tiles_n * p->chunk, to = panels_of(a->n);
    to = from + p->chunk < to ? from + p->chunk : to;
    for (size_t r = 0; r < rows; r++) {
        const float *x = l->x + (first + r) * a->k;
        if (l->norm_weight) {
            k->layer_norm(s + p->row, NULL, NULL, x, l->norm_weight, l->norm_bias, 1, a->k, l->epsilon);
            x = s + p->row;
        }
        pack_row(a, s + p->packed, p->rows, r, x, s + p->smooth, scales + r);
    }
    size_t width = b ? b->n : a->n, hidden = ck_ceiling(a->n, 32) * 32;
    const float *residual = l->residual ? l->residual + first * width : NULL;
    float *out = l->out + first * width;
    for (size_t panel = from; panel < to; panel++) {
        size_t at = panel * 32, n = a->n - at < 32 ? a->n - at : 32;
        ck_finish f = multiply_panel(a, s + p->packed, p->rows, rows, panel, sums, scales, l->first_bias);
        f.activation = l->activation;
        if (!b) {
            f.residual = residual ? residual + at : NULL;
            k->finish(out + at, width, sums, rows, n, &f);
        } else if (b->type == ck_type_i8) {
            k->finish(s + p->hidden + at, hidden, sums, rows, n, &f);
        } else if (b->type == ck_type_f32) {
            // Nothing is rounded: where the panel ends up it is finished.
            k->finish((float *)packed_at(s + p->packed2, b, p->rows, 0, at), ck_row_words, sums, rows, n, &f);
        } else {
            k->finish(finished, 32, sums, rows, n, &f);
            for (size_t r = 0; r < rows; r++)
                k->products[b->type].pack(packed_at(s + p->packed2, b, p->rows, r, at), finished + r * 32, n);
        }
    }
    if (!b) return;
    if (b->type == ck_type_i8)
        for (size_t r = 0; r < rows; r++)
            pack_row(b, s + p->packed2, p->rows, r, s + p->hidden + r * hidden, s + p->smooth, scales + r);
    for (size_t panel = 0; panel < panels_of(b->n); panel++) {
        size_t at = panel * 32, n = b->n - at < 32 ? b->n - at : 32;
        ck_finish f = multiply_panel(b, s + p->packed2, p->rows, rows, panel, sums, scales, l->second_bias);
        f.residual = residual ? residual + at : NULL;
        k->finish(out + at, width, sums, rows, n, &f);
    }
}

static double operations(const ck_layer *l) {
    double each = 2.0 * (double)l->first->n * (double)l->first->k;
    if (l->second) each += 2.0 * (double)l->second->n * (double)l->second->k;
    return each * (double)l->rows;
}

void ck_layer_forward(const ck_layer *l, float *scratch) {
    CK_TIMED((ck_kind)((int)ck_kind_linear_f32 + (int)l->first->type), operations(l));
    if (l->rows == 0 || l->first->n == 0) return;
    layer_job j = {l, plan_of(l), scratch};
    ck_parallel(j.p.tiles_m * j.p.tiles_n, &j, layer_tile);
}
