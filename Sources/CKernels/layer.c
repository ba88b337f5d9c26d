// Linear layers with weights in tile order: rows are normed and packed, multiplied panel by panel, and finished while their
// sums are in the cache. A tile is a block of rows (and, of few rows, some of the panels): cut by shape alone.
#include <string.h>

#include "internal.h"

static size_t at_least(size_t least, size_t n) { return n < least ? least : n; }
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

// Steps [s, s + count) of a panel, all within one block, from 32 rows of words.
static void turn_steps(const ck_kernels *k, int32_t *panel, size_t steps, size_t s, const int32_t *words, size_t ld, size_t count) {
    for (size_t c = 0; c < 32; c += k->group)
        k->turn(panel + ck_panel_at(k, steps, s, c), k->group, words + c * ld, ld, k->group, count);
}

void ck_pack_panel(const ck_kernels *k, ck_type type, void *panel, const float *const rows[32], size_t length) {
    enum { chunk = 64 };
    int32_t words[32 * (chunk + 1)];
    size_t e = ck_elements(type), steps = steps_of(type, length);
    for (size_t s = 0; s < steps; s += chunk) {
        size_t count = ck_smaller(chunk, steps - s), n = ck_smaller(count * e, length - s * e);
        for (size_t c = 0; c < 32; c++) {
            int32_t *row = words + c * (chunk + 1);
            if (!rows[c]) memset(row, 0, count * 4);
            else if (type == ck_type_f32) memcpy(row, rows[c] + s, n * 4);
            else k->pack_bf16(row, rows[c] + s * e, n);
        }
        turn_steps(k, panel, steps, s, words, chunk + 1, count);
    }
}

typedef struct {
    const ck_matrix *m;
    const float *weight;
} packing;

static void pack_bytes(const ck_matrix *m, const float *weight, size_t p) {
    enum { chunk = 64 };
    int32_t words[32 * (chunk + 1)];
    size_t steps = steps_of(m->type, m->k), columns = ck_smaller(32, m->n - p * 32);
    float *scales = m->scales + p * 32;
    int32_t *offsets = m->offsets + p * 32;
    for (size_t c = 0; c < 32; c++) {
        scales[c] = c < columns ? m->kernels->largest_quotient(weight + (p * 32 + c) * m->k, m->input_scale, m->k) / 63.0f : 0;
        offsets[c] = 0;
    }
    for (size_t s = 0; s < steps; s += chunk) {
        size_t count = ck_smaller(chunk, steps - s), i = s * 4, n = ck_smaller(count * 4, m->k - i);
        for (size_t c = 0; c < 32; c++) {
            int32_t *row = words + c * (chunk + 1);
            if (scales[c] > 0)
                offsets[c] += 128 * m->kernels->quantise_quotient((int8_t *)row, weight + (p * 32 + c) * m->k + i,
                                                                  m->input_scale + i, scales[c], n);
            else memset(row, 0, count * 4);
        }
        turn_steps(m->kernels, (int32_t *)m->panels + p * steps * 32, steps, s, words, chunk + 1, count);
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

enum {
    /// Rows that are written at once.
    some_rows = 16,
    /// Rows of a tile come in these; at least and at most so many.
    even_rows = 14,
    least_rows = 2 * even_rows,
    most_rows = 16 * even_rows,
};

// Where a thread's scratch memory holds what; in floats.
typedef struct {
    // Panels whose sums lie beside each other until their rows are written: many neighbours of a row at once.
    size_t rows, chunk, tiles_m, tiles_n, abreast;
    size_t packed, packed2, hidden, sums, out_sums, row, smooth, scales, total;
} plan;

static size_t packed_words(const ck_matrix *m) {
    return ck_ceiling(steps_of(m->type, m->k), ck_block_steps) * m->kernels->products[m->type].row_words;
}

static plan plan_of(const ck_layer *l) {
    plan p = {0};
    const ck_matrix *a = l->first, *b = l->second;
    // Words a row: between two layers lie a block of packed rows and the sums that it adds to. The scale of a row in 8 bits
    // wants all of it at once.
    bool whole = b && b->type == ck_type_i8;
    size_t hidden = whole ? ck_ceiling(a->n, 32) * 32 : 0, out_sums = b && !whole ? panels_of(b->n) * 32 : 0;
    size_t packed2 = whole ? packed_words(b) : b ? b->kernels->products[b->type].row_words : 0;
    size_t words = packed_words(a) + packed2 + hidden + out_sums;
    size_t rows = ck_tile_words() / words / even_rows * even_rows;
    size_t even = ck_ceiling(ck_ceiling(l->rows, 16), even_rows) * even_rows;
    rows = ck_smaller(at_least(least_rows, ck_smaller(most_rows, rows)), even);
    // As many for each thread: none waits for another's last one. Sums do not depend on the tiles.
    size_t tiles = ck_ceiling(ck_ceiling(l->rows, at_least(least_rows, rows)), ck_pool_threads()) * ck_pool_threads();
    p.rows = at_least(least_rows, ck_ceiling(l->rows, at_least(1, tiles)));
    p.tiles_m = ck_ceiling(l->rows, p.rows);
    size_t panels = panels_of(a->n);
    // A row that is normed is whole.
    p.tiles_n = b || l->out_norm_weight || p.tiles_m >= 16 ? 1 : ck_ceiling(16, at_least(1, p.tiles_m));
    p.chunk = ck_ceiling(panels, p.tiles_n);
    p.tiles_n = ck_ceiling(panels, at_least(1, p.chunk));
    // What is left of the second cache.
    size_t room = ck_tile_words() / p.rows, taken = ck_smaller(room, words);
    p.abreast = b ? 1 : ck_smaller(p.chunk, (room - taken) / 32 + 1);
    size_t widest = b && b->k > a->k ? b->k : a->k;
    p.packed = 0;
    p.packed2 = p.packed + p.rows * packed_words(a);
    p.hidden = p.packed2 + p.rows * packed2;
    p.sums = p.hidden + p.rows * hidden;
    p.out_sums = p.sums + (b ? 2 : p.abreast) * p.rows * 32;
    p.row = p.out_sums + p.rows * out_sums;
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
    const ck_product *product = &m->kernels->products[m->type];
    size_t step = element / ck_elements(m->type), block = step / ck_block_steps;
    return (char *)packed + 4 * ((block * rows + r) * product->row_words + step % ck_block_steps * product->words);
}

static void pack_row(const ck_matrix *m, float *packed, size_t rows, size_t r, const float *x, float *smooth, float *scale) {
    size_t block = ck_block_steps * ck_elements(m->type);
    if (m->type == ck_type_i8) {
        m->kernels->multiply(smooth, x, m->input_scale, m->k);
        x = smooth;
        *scale = m->kernels->quantise_scale(x, m->k);
    }
    for (size_t i = 0; i < m->k; i += block) {
        size_t n = ck_smaller(block, m->k - i);
        char *to = packed_at(packed, m, rows, r, i);
        if (m->type == ck_type_i8) m->kernels->quantise((uint8_t *)to, x + i, *scale, n);
        else m->kernels->products[m->type].pack(to, x + i, n);
    }
}

// Of a panel the block along k that begins with step s, and its steps.
static const char *block_of(const ck_matrix *m, size_t panel, size_t s, size_t *steps) {
    size_t all = steps_of(m->type, m->k);
    *steps = ck_smaller(ck_block_steps, all - s);
    return (const char *)m->panels + (panel * all + s) * 128;
}

// What the sums of a panel still need.
static ck_finish finish_of(const ck_matrix *m, size_t panel, const float *row_scales, const float *bias) {
    ck_finish f = {.bias = bias ? bias + panel * 32 : NULL};
    if (m->type == ck_type_i8) f.offsets = m->offsets + panel * 32, f.scales = m->scales + panel * 32, f.row_scales = row_scales;
    return f;
}

// sums [rows, 32] = packed rows · panel.
static void multiply_panel(const ck_matrix *m, const float *packed, size_t capacity, size_t rows, size_t panel, float *sums) {
    const ck_product *product = &m->kernels->products[m->type];
    size_t steps = steps_of(m->type, m->k);
    ck_multiply_panel(product, rows, packed, capacity * product->row_words, (const char *)m->panels + panel * steps * 128, steps, sums, 32,
                      false);
}

// A tile on its way through the layer: its rows and the calling thread's scratch memory.
typedef struct {
    const ck_layer *l;
    const plan *p;
    float *s;
    size_t rows;
    const float *residual;
    float *out;
} tile_job;

// Panels [from, to) of the one matrix; where rows are normed, all of them.
static void one_matrix(const tile_job *t, size_t from, size_t to) {
    const ck_layer *l = t->l;
    const ck_matrix *a = l->first;
    float *sums = t->s + t->p->sums;
    for (size_t first = from, last; first < to; first = last) {
        last = ck_smaller(first + t->p->abreast, to);
        for (size_t panel = first; panel < last; panel++)
            multiply_panel(a, t->s + t->p->packed, t->p->rows, t->rows, panel, sums + (panel - first) * t->rows * 32);
        for (size_t r = 0; r < t->rows; r += some_rows)
            for (size_t panel = first; panel < last; panel++) {
                size_t at = panel * 32, n = ck_smaller(32, a->n - at), element = r * a->n + at;
                ck_finish f = finish_of(a, panel, t->s + t->p->scales + r, l->first_bias);
                f.activation = l->out_norm_weight ? ck_activation_none : l->activation;
                f.residual = t->residual ? t->residual + element : NULL;
                a->kernels->finish(t->out + element, a->n, sums + ((panel - first) * t->rows + r) * 32,
                                   ck_smaller(some_rows, t->rows - r), n, &f);
            }
    }
    if (!l->out_norm_weight) return;
    a->kernels->layer_norm(t->out, NULL, NULL, t->out, l->out_norm_weight, l->out_norm_bias, t->rows, a->n, l->epsilon);
    if (l->activation == ck_activation_gelu) a->kernels->gelu(t->out, t->out, t->rows * a->n);
    if (l->activation == ck_activation_relu) a->kernels->relu(t->out, t->out, t->rows * a->n);
}

// Both matrices in 8 bits: the first one's rows are whole before they are scaled and packed.
static void two_by_rows(const tile_job *t) {
    const ck_matrix *a = t->l->first, *b = t->l->second;
    const plan *p = t->p;
    float *sums = t->s + p->sums, *scales = t->s + p->scales;
    size_t hidden = ck_ceiling(a->n, 32) * 32;
    for (size_t panel = 0; panel < panels_of(a->n); panel++) {
        size_t at = panel * 32, n = ck_smaller(32, a->n - at);
        multiply_panel(a, t->s + p->packed, p->rows, t->rows, panel, sums);
        ck_finish f = finish_of(a, panel, scales, t->l->first_bias);
        f.activation = t->l->activation;
        a->kernels->finish(t->s + p->hidden + at, hidden, sums, t->rows, n, &f);
    }
    for (size_t r = 0; r < t->rows; r++)
        pack_row(b, t->s + p->packed2, p->rows, r, t->s + p->hidden + r * hidden, t->s + p->smooth, scales + r);
    for (size_t panel = 0; panel < panels_of(b->n); panel++) {
        size_t at = panel * 32, n = ck_smaller(32, b->n - at);
        multiply_panel(b, t->s + p->packed2, p->rows, t->rows, panel, sums);
        ck_finish f = finish_of(b, panel, scales, t->l->second_bias);
        f.residual = t->residual ? t->residual + at : NULL;
        b->kernels->finish(t->out + at, b->n, sums, t->rows, n, &f);
    }
}

// Both matrices, a block of the hidden values at a time: it is made, packed and multiplied with all panels of the second matrix.
static void two_by_blocks(const tile_job *t) {
    const ck_matrix *a = t->l->first, *b = t->l->second;
    const ck_kernels *k = a->kernels;
    const ck_product *product = &k->products[b->type];
    const plan *p = t->p;
    float *sums = t->s + p->sums, *finished = sums + p->rows * 32, *scales = t->s + p->scales, *packed = t->s + p->packed2;
    size_t block = ck_block_steps * ck_elements(b->type), apart = 4 * product->row_words, panels = panels_of(b->n);
    for (size_t first = 0; first < a->n; first += block) {
        size_t last = ck_smaller(a->n, first + block), steps;
        for (size_t at = first; at < last; at += 32) {
            size_t n = ck_smaller(32, last - at), from = (at - first) / ck_elements(b->type) * 4 * product->words;
            multiply_panel(a, t->s + p->packed, p->rows, t->rows, at / 32, sums);
            ck_finish f = finish_of(a, at / 32, scales, t->l->first_bias);
            f.activation = t->l->activation;
            // Floats are not rounded: where the panel ends up it is finished.
            float *to = b->type == ck_type_f32 ? (float *)((char *)packed + from) : finished;
            k->finish(to, b->type == ck_type_f32 ? product->row_words : 32, sums, t->rows, n, &f);
            for (size_t r = 0; to == finished && r < t->rows; r++)
                product->pack((char *)packed + r * apart + from, finished + r * 32, n);
        }
        for (size_t panel = 0; panel < panels; panel++) {
            size_t s = first / ck_elements(b->type);
            const char *weights = block_of(b, panel, s, &steps), *next = block_of(b, panel + 1 < panels ? panel + 1 : panel, s, &steps);
            product->panel(t->rows, packed, weights, next, steps, t->s + p->out_sums + panel * t->rows * 32, 32, first > 0);
        }
    }
    for (size_t panel = 0; panel < panels; panel++) {
        size_t at = panel * 32, n = ck_smaller(32, b->n - at);
        ck_finish f = finish_of(b, panel, scales, t->l->second_bias);
        f.residual = t->residual ? t->residual + at : NULL;
        k->finish(t->out + at, b->n, t->s + p->out_sums + panel * t->rows * 32, t->rows, n, &f);
    }
}

static void layer_tile(void *context, size_t tile) {
    const layer_job *j = context;
    const ck_layer *l = j->l;
    const plan *p = &j->p;
    const ck_matrix *a = l->first, *b = l->second;
    float *s = j->scratch + ck_worker() * p->total;
    size_t first = tile / p->tiles_n * p->rows, rows = ck_smaller(p->rows, l->rows - first);
    for (size_t r = 0; r < rows; r++) {
        const float *x = l->x + (first + r) * a->k;
        if (l->patches) {
            ck_patch(s + p->row, l->x, l->patches, first + r);
            x = s + p->row;
        } else if (l->norm_weight) {
            a->kernels->layer_norm(s + p->row, NULL, NULL, x, l->norm_weight, l->norm_bias, 1, a->k, l->epsilon);
            x = s + p->row;
        }
        pack_row(a, s + p->packed, p->rows, r, x, s + p->smooth, s + p->scales + r);
    }
    size_t width = b ? b->n : a->n, from = tile % p->tiles_n * p->chunk, to = panels_of(a->n);
    to = ck_smaller(to, from + p->chunk);
    tile_job t = {l, p, s, rows, l->residual ? l->residual + first * width : NULL, l->out + first * width};
    if (!b) one_matrix(&t, from, to);
    else if (b->type == ck_type_i8) two_by_rows(&t);
    else two_by_blocks(&t);
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
