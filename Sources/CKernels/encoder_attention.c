// The encoder's attention without a tape: one pass over the keys with an online softmax; no block of logits leaves the cache.
//
// A tile is a run of queries of one head in one window (or the whole grid). Keys lie in rows of the grid that are filled up to
// a multiple of eight with keys of weight 0, so that a query's position terms are one number a row and one vector of columns.
// Where an image has fewer tokens than the grid, blocks of keys are rows that lack the same columns.
#include <math.h>
#include <string.h>

#include "internal.h"

enum { most_queries = 1024, most_keys = ck_block_steps };

static size_t side_of(const ck_encoder_attention *a) { return a->window ? a->window : a->grid; }
static size_t width_of(const ck_encoder_attention *a) { return ck_ceiling(side_of(a), 8) * 8; }
/// Rows of the grid in a block of keys.
static size_t rows_of(const ck_encoder_attention *a) { return most_keys / width_of(a); }

bool ck_encoder_attention_fits(size_t side, size_t channels) {
    return side > 0 && ck_ceiling(side, 8) * 8 <= most_keys && channels > 0 && channels <= ck_block_steps;
}

typedef struct {
    size_t elements, steps, words, row_words, table, channels, keys, queries, run, blocks;
    size_t packed_queries, tables, position_h, position_w, packed_keys, packed_values, weights, out, state, columns,
        total;
} plan;

static plan plan_of(const ck_encoder_attention *a) {
    plan p = {0};
    p.elements = ck_elements(a->type);
    p.words = a->kernels->products[a->type].words;
    p.row_words = a->kernels->products[a->type].row_words;
    p.steps = ck_ceiling(a->channels, p.elements);
    p.table = ck_ceiling(2 * side_of(a) - 1, 32) * 32;
    p.channels = ck_ceiling(a->channels, 32) * 32;
    p.keys = ck_ceiling(rows_of(a) * width_of(a), 32) * 32;
    size_t side = side_of(a), all = side * side;
    p.queries = all < most_queries ? all : most_queries;
    p.blocks = ck_ceiling(all, p.queries);
    // Each panel is used four times while it is in the first cache; the logits of a run stay in the second.
    p.run = 4 * a->kernels->rows;
    size_t at = 0;
    p.packed_queries = at, at += p.queries * p.row_words;
    p.tables = at, at += p.table * p.steps;
    p.position_h = at, at += p.queries * p.table;
    p.position_w = at, at += p.queries * p.table;
    p.packed_keys = at, at += p.keys * p.steps;
    p.packed_values = at, at += p.keys / p.elements * p.channels;
    p.weights = at, at += p.run * p.row_words;
    p.out = at, at += p.queries * p.channels;
    p.state = at, at += ck_ceiling(2 * p.queries, 16) * 16;
    p.columns = at, at += width_of(a) + 8;
    p.total = ck_ceiling(at, 16) * 16;
    return p;
}

size_t ck_encoder_attention_scratch(const ck_encoder_attention *a) { return plan_of(a).total; }

typedef struct {
    const ck_encoder_attention *a;
    plan p;
    float *scratch;
} job;


// A window or the whole grid of one image: where it begins, its queries, its keys.
typedef struct {
    size_t image, top, left, height, breadth, key_rows, key_columns;
} view;

static view view_of(const ck_encoder_attention *a, size_t window) {
    size_t side = side_of(a), down = ck_ceiling(a->rows, side), across = ck_ceiling(a->columns, side);
    view v = {.image = window / (down * across), .top = window / across % down * side, .left = window % across * side};
    v.height = ck_smaller(side, a->rows - v.top), v.breadth = ck_smaller(side, a->columns - v.left);
    // A window that reaches beyond the grid has keys in its last rows and columns whatever is there of the others.
    bool whole = v.top + side > a->grid || v.left + side > a->grid;
    v.key_rows = whole ? side : v.height, v.key_columns = whole ? side : v.breadth;
    return v;
}

// Columns [from, to) of a row of keys are not there.
typedef struct {
    size_t from, to;
} gap;

static gap gap_of(const ck_encoder_attention *a, const view *v, size_t y) {
    size_t to = ck_smaller(v->key_columns, a->grid - v->left), from = v->top + y < a->rows ? v->breadth : 0;
    return v->top + y >= a->grid || from == to ? (gap){0, 0} : (gap){from, to};
}

// The qkv of the token in row y, column x: NULL where there is none, the padded token's beyond the grid.
static const float *token(const ck_encoder_attention *a, const view *v, size_t y, size_t x) {
    if (y >= v->key_rows || x >= v->key_columns) return NULL;
    if (v->top + y >= a->grid || v->left + x >= a->grid) return a->padding;
    if (y >= v->height || x >= v->breadth) return NULL;
    return a->qkv + ((v->image * a->rows + v->top + y) * a->columns + v->left + x) * 3 * a->heads * a->channels;
}

// A token is far from the next one, further than the processor looks ahead.
static void fetch(const float *x, size_t channels) {
    for (size_t c = 0; c < channels; c += 16) __builtin_prefetch(x + c, 0, 2);
}

// Keys [first, first + 32) of a block, given by their qkv, as a panel; and their values as steps of the value panels.
static void pack_keys(const job *j, float *s, const float *const *tokens, size_t count, size_t head) {
    const ck_encoder_attention *a = j->a;
    const plan *p = &j->p;
    size_t dim = a->heads * a->channels, h = head * a->channels;
    for (size_t at = 0; at < count; at += 32) {
        // Its values are asked for while keys are packed, and the next keys.
        for (size_t i = at; i < at + 64 && i < count; i++)
            if (tokens[i]) fetch(tokens[i] + (i < at + 32 ? 2 : 1) * dim + h, a->channels);
        const float *rows[32];
        for (size_t i = 0; i < 32; i++) rows[i] = at + i < count && tokens[at + i] ? tokens[at + i] + dim + h : NULL;
        ck_pack_panel(a->kernels, a->type, s + p->packed_keys + at * p->steps, rows, a->channels);
    }
    size_t steps = ck_ceiling(count, p->elements), panel_words = p->keys / p->elements * 32, group = a->kernels->group;
    for (size_t step = 0; step < steps; step++)
        for (size_t c = 0; c < a->channels; c += 32) {
            size_t n = a->channels - c < 32 ? a->channels - c : 32;
            float *to = s + p->packed_values + c / 32 * panel_words + step * group;
            const float *pair[2] = {NULL, NULL};
            for (size_t e = 0; e < p->elements && step * p->elements + e < count; e++) {
                const float *t = tokens[step * p->elements + e];
                pair[e] = t ? t + 2 * dim + h + c : NULL;
            }
            a->kernels->pack_values((uint32_t *)to, steps * group, pair[0], pair[1], n, a->type == ck_type_bf16);
        }
}

static void attend(void *context, size_t tile) {
    const job *j = context;
    const ck_encoder_attention *a = j->a;
    const plan *p = &j->p;
    const ck_kernels *k = a->kernels;
    const ck_product *product = &k->products[a->type];
    float *s = j->scratch + ck_worker() * p->total;
    size_t side = side_of(a), dim = a->heads * a->channels;
    size_t block = tile % p->blocks, head = tile / p->blocks % a->heads;
    // Queries beyond the image's tokens are nobody's.
    view v = view_of(a, tile / p->blocks / a->heads);
    size_t first = block * p->queries, all = v.height * v.breadth, breadth = v.breadth, width = ck_ceiling(v.key_columns, 8) * 8;
    if (first >= all) return;
    size_t queries = all - first < p->queries ? all - first : p->queries;

    ck_weights weights = a->type == ck_type_f32 ? ck_weights_float : p->words == 2 ? ck_weights_bf16_wide : ck_weights_bf16;
    size_t row_bytes = 4 * p->row_words;
    char *packed_queries = (char *)(s + p->packed_queries);
    for (size_t i = 0; i < queries; i++) {
        const float *t = token(a, &v, (first + i) / breadth, (first + i) % breadth);
        if (i + 8 < queries) fetch(token(a, &v, (first + i + 8) / breadth, (first + i + 8) % breadth) + head * a->channels, a->channels);
        product->pack(packed_queries + i * row_bytes, t + head * a->channels, a->channels);
    }
    // Position terms against the reversed tables, so that those of keys 0, 1, 2, … follow each other.
    for (int axis = 0; axis < 2; axis++) {
        const float *table = axis ? a->rel_w : a->rel_h;
        size_t length = 2 * side - 1;
        float *out = s + (axis ? p->position_w : p->position_h);
        for (size_t at = 0; at < length; at += 32) {
            const float *rows[32];
            for (size_t i = 0; i < 32; i++) rows[i] = at + i < length ? table + (length - 1 - at - i) * a->channels : NULL;
            ck_pack_panel(a->kernels, a->type, s + p->tables, rows, a->channels);
            product->panel(queries, packed_queries, s + p->tables, s + p->tables, p->steps, out + at, p->table, false);
        }
    }
    float *maximum = s + p->state, *sum = maximum + p->queries, *lacking = s + p->columns;
    for (size_t i = 0; i < queries; i++) maximum[i] = -INFINITY, sum[i] = 0;

    size_t block_rows = p->keys / width;
    const float *tokens[most_keys + 32];
    bool begun = false;
    for (size_t row = 0, asked = 0; row < v.key_rows || asked < a->prompts;) {
        size_t y0 = row, count = 0;
        gap lack = {0, 0};
        if (row < v.key_rows) {
            lack = gap_of(a, &v, row);
            if (lack.to - lack.from == v.key_columns) {
                row++;
                continue;
            }
            for (; row < v.key_rows && row < y0 + block_rows; row++) {
                gap own = gap_of(a, &v, row);
                if (own.from != lack.from || own.to != lack.to) break;
                for (size_t x = 0; x < width; x++) tokens[count++] = token(a, &v, row, x);
            }
        }
        ck_logits logits = {.ld = p->row_words, .scale = a->scale, .placed = count, .side = width, .weights = weights};
        if (width > v.key_columns || lack.to > lack.from) {
            for (size_t x = 0; x < width; x++)
                lacking[x] = x >= v.key_columns || (lack.from <= x && x < lack.to) ? -INFINITY : 0;
            logits.lacking = lacking;
        }
        // Prompts come behind the last row, where there is room, and in blocks of their own.
        for (; row >= v.key_rows && asked < a->prompts && count < p->keys; asked++) tokens[count++] = a->prompt_qkv + asked * 3 * dim;
        logits.n = count;
        pack_keys(j, s, tokens, count, head);
        size_t value_steps = ck_ceiling(count, p->elements), panel_words = p->keys / p->elements * 32;
        for (size_t i = 0, n; i < queries; i += n) {
            n = queries - i < p->run ? queries - i : p->run;
            for (size_t at = 0; at < count; at += 32)
                product->panel(n, packed_queries + i * row_bytes, s + p->packed_keys + at * p->steps,
                               s + p->packed_keys + (at + 32) * p->steps, p->steps, s + p->weights + at, p->row_words,
                               false);
            for (size_t r = 0, some; r < n; r += some) {
                some = ck_smaller(16, n - r);
                const float *h[16], *w[16];
                float factor[16];
                for (size_t q = 0; q < some; q++) {
                    size_t query = i + r + q, y = (first + query) / breadth, x = (first + query) % breadth;
                    h[q] = s + p->position_h + query * p->table + side - 1 - y + y0;
                    w[q] = s + p->position_w + query * p->table + side - 1 - x;
                }
                logits.x = s + p->weights + r * p->row_words;
                k->softmax_block(&logits, some, h, w, maximum + i + r, sum + i + r, factor);
                for (size_t q = 0; begun && q < some; q++) {
                    float *out = s + p->out + (i + r + q) * p->channels;
                    if (factor[q] != 1.0f) k->scale(out, factor[q], out, p->channels);
                }
            }
            for (size_t c = 0; c < a->channels; c += 32) {
                const float *values = s + p->packed_values + c / 32 * panel_words;
                product->panel(n, s + p->weights, values, values + 32 * value_steps, value_steps,
                               s + p->out + i * p->channels + c, p->channels, begun);
            }
        }
        begun = true;
    }
    for (size_t i = 0; i < queries; i++) {
        size_t y = v.top + (first + i) / breadth, x = v.left + (first + i) % breadth;
        float *out = a->out + ((v.image * a->rows + y) * a->columns + x) * dim + head * a->channels;
        k->scale(out, 1.0f / sum[i], s + p->out + i * p->channels, a->channels);
    }
}

static double operations(const ck_encoder_attention *a) {
    double keys = (double)((a->window ? a->window * a->window : a->rows * a->columns) + a->prompts);
    return 4.0 * (double)(a->batch * a->rows * a->columns) * (double)(a->heads * a->channels) * keys;
}

void ck_encoder_attention_forward(const ck_encoder_attention *a, float *scratch) {
    CK_TIMED(ck_kind_encoder_attention, operations(a));
    size_t windows = ck_ceiling(a->rows, side_of(a)) * ck_ceiling(a->columns, side_of(a));
    job j = {a, plan_of(a), scratch};
    ck_parallel(a->batch * windows * a->heads * j.p.blocks, &j, attend);
}
