// The derivatives of attention. The weights are computed again from the saved log-sum-exp, so keys come in blocks as queries do, and two
// blocks of queries × keys are all that is held.
//
// Weights and their derivatives lie the other way round: a key is a row, and a query a column. So they are packed rows of the products
// that give dv and dk without being turned, and what belongs to a query (its log-sum-exp, its position terms) is a vector along
// them. dq is summed up turned: its product has the derivatives as panels, copies of the same rows. Columns beyond the queries hold
// anything; nothing is summed over them. Factors of bfloat16 are rounded copies; sums, weights and derivatives stay float.
// *Source of packed rows and panels*: product.inc.
#include <string.h>

#include "internal.h"

enum {
    /// Queries or keys of a block: what a packed row has room for. Fewer of either were slower.
    most_together = ck_block_steps,
};

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t whole(size_t n) { return ck_ceiling(n, 32) * 32; }
/// The size of blocks of at most `most` that share n evenly.
static size_t shared(size_t n, size_t most) { return n ? ck_ceiling(n, ck_ceiling(n, most)) : 1; }

// Where things lie in a thread's scratch memory.
typedef struct {
    // Of a block; blocks of keys that are kept for the next block of queries; channels in whole panels; entries of both tables.
    size_t queries, keys, kept, channels, value_channels, tables;
    // Of what is multiplied: elements a word, words a step of a packed row and from one such row to the next.
    size_t elements, words, row_words;
    // Of a head: packed rows of every block of keys and of values; keys turned; sums; tables as they are, packed, and turned.
    size_t packed_keys, packed_values, turned_keys, dk, dv, plain_tables, packed_tables, turned_tables, dtables;
    // Of a block of queries: panels by channels and by queries; of each query; position terms; dq turned.
    size_t q_columns, dout_columns, q_steps, dout_steps, lse, mean, position, terms, dterms, dq;
    // Of a block of keys too.
    size_t weights, derivatives, panels;
    // Of what is being packed: rows as floats, and packed rows along queries.
    size_t turned, packed, total;
} plan;

// Packed rows of few steps leave room for others: so many factors of n elements a row lie beside each other.
static size_t abreast(const plan *p, size_t n) {
    size_t steps = ck_ceiling(n, p->elements);
    return steps && steps < ck_block_steps ? ck_block_steps / steps : 1;
}
// Words from one block of steps of so many rows to the next, and of all blocks of n elements.
static size_t block_words(const plan *p, size_t rows) { return rows * p->row_words; }
static size_t rows_words(const plan *p, size_t rows, size_t n) {
    return ck_ceiling(n, p->elements * ck_block_steps) * block_words(p, rows);
}
static size_t packed_words(const plan *p, size_t factors, size_t rows, size_t n) {
    return ck_ceiling(factors, abreast(p, n)) * rows_words(p, rows, n);
}
// Where the index-th factor of so many rows begins.
static size_t packed_at(const plan *p, size_t index, size_t rows, size_t n) {
    return index / abreast(p, n) * rows_words(p, rows, n) + index % abreast(p, n) * ck_ceiling(n, p->elements) * p->words;
}

static plan plan_of(const ck_attention *a) {
    plan p = {.queries = shared(a->queries, most_together), .keys = shared(a->keys, most_together), .channels = whole(a->channels),
              .value_channels = whole(a->value_channels), .tables = 2 * ck_table_length(a),
              .elements = ck_elements(a->type), .words = a->kernels->products[a->type].words,
              .row_words = a->kernels->products[a->type].row_words};
    // What is needed once stays in one place, and so in the cache.
    p.kept = a->queries > p.queries ? ck_ceiling(a->keys, p.keys) : 1;
    size_t c = a->channels, vc = a->value_channels, columns = whole(p.queries), at = 0;
    // Terms of rows and of columns of the grid, and of each axis one more, of keys without a position: 0, and a derivative for nobody.
    struct {
        size_t *at, words;
    } all[] = {
        {&p.packed_keys, packed_words(&p, p.kept, p.keys, c)},
        {&p.packed_values, packed_words(&p, p.kept, p.keys, vc)},
        {&p.turned_keys, packed_words(&p, p.kept, c, p.keys)},
        {&p.dk, p.kept * p.keys * p.channels},
        {&p.dv, p.kept * p.keys * p.value_channels},
        {&p.plain_tables, p.tables * c},
        {&p.packed_tables, packed_words(&p, 1, p.tables, c)},
        {&p.turned_tables, packed_words(&p, 1, c, p.tables)},
        {&p.dtables, p.tables * p.channels},
        {&p.q_columns, columns * ck_ceiling(c, p.elements)},
        {&p.dout_columns, columns * ck_ceiling(vc, p.elements)},
        {&p.q_steps, ck_ceiling(p.queries, p.elements) * p.channels},
        {&p.dout_steps, ck_ceiling(p.queries, p.elements) * p.value_channels},
        {&p.lse, columns},
        {&p.mean, columns},
        {&p.position, p.tables * ck_row_words},
        {&p.terms, (2 * a->side + 2) * ck_row_words},
        {&p.dterms, (2 * a->side + 2) * ck_row_words},
        {&p.dq, c * ck_row_words},
        {&p.weights, p.keys * ck_row_words},
        {&p.derivatives, p.keys * ck_row_words},
        {&p.panels, ck_ceiling(larger(p.keys, p.tables), p.elements) * columns},
        {&p.turned, a->type == ck_type_f32 ? 0 : larger(c * ck_row_words, 2 * vc)},
        {&p.packed, a->type == ck_type_f32 ? 0 : block_words(&p, larger(p.keys, p.tables))},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) *all[i].at = at, at += ck_ceiling(all[i].words, 16) * 16;
    p.total = at;
    return p;
}

size_t ck_attention_backward_scratch(const ck_attention *a) { return plan_of(a).total; }

typedef struct {
    const ck_attention *a;
    const ck_attention_gradients *g;
    plan p;
    float *scratch;
    size_t size;
} backward_job;

// One head of one element of the batch.
typedef struct {
    const ck_attention *a;
    const plan *p;
    float *s;
    size_t pair;
    const float *q, *k, *v, *out, *dout, *bias;
    float *dq, *dk, *dv;
} head;

// out [rows, columns in whole panels] (+)= packed rows of n elements · panels; `words` from one block of steps of all rows to the next.
static void multiply(const head *h, size_t rows, const float *packed, size_t words, const float *panels, size_t columns, size_t n,
                     float *out, size_t ldc, bool add) {
    size_t steps = ck_ceiling(n, h->p->elements);
    for (size_t at = 0; at < columns; at += 32)
        ck_multiply_panel(&h->a->kernels->products[h->a->type], rows, packed, words, panels + at * steps, steps, out + at, ldc, add);
}

// Rows of n floats as packed rows, in blocks of steps that are so many words apart.
static void pack_rows(const head *h, float *packed, size_t words, const float *from, size_t ld, size_t rows, size_t n) {
    size_t block = ck_block_steps * h->p->elements;
    for (size_t i = 0; i < n; i += block, packed += words)
        for (size_t r = 0; r < rows; r++)
            h->a->kernels->products[h->a->type].pack(packed + r * h->p->row_words, from + r * ld + i, ck_smaller(block, n - i));
}

// Rows of n floats, turned into n packed rows, in blocks of steps that are so many words apart.
static void turn_rows(const head *h, float *packed, size_t words, const float *from, size_t ld, size_t rows, size_t n) {
    const ck_kernels *k = h->a->kernels;
    float *turned = h->s + h->p->turned;
    for (size_t r = 0; r < rows; r += ck_block_steps) {
        size_t count = ck_smaller(ck_block_steps, rows - r), step = r / h->p->elements;
        float *to = packed + step / ck_block_steps * words + step % ck_block_steps * h->p->words;
        float *floats = h->a->type == ck_type_f32 ? to : turned;
        k->turn((int32_t *)floats, ck_row_words, (const int32_t *)from + r * ld, ld, count, n);
        for (size_t i = 0; floats != to && i < n; i++)
            k->products[h->a->type].pack(to + i * h->p->row_words, floats + i * ck_row_words, count);
    }
}

// Rows of floats that lie ck_row_words apart as packed rows: themselves, where floats are multiplied.
static const float *packed_of(const head *h, const float *from, size_t rows, size_t n) {
    if (h->a->type == ck_type_f32) return from;
    pack_rows(h, h->s + h->p->packed, 0, from, ck_row_words, rows, n);
    return h->s + h->p->packed;
}

// A row as it is multiplied: of bfloat16 what products with it add up to would else not be what is taken away from them.
static const float *rounded_of(const head *h, const float *row, size_t n) {
    if (h->a->type == ck_type_f32) return row;
    float *rounded = h->s + h->p->turned, *halves = rounded + n;
    h->a->kernels->pack_bf16(halves, row, n);
    h->a->kernels->decode(rounded, halves, ck_stored_bf16, n);
    return rounded;
}

// Rows of n floats as the columns of panels of n elements.
static void pack_columns(const head *h, float *panels, const float *from, size_t ld, size_t rows, size_t n) {
    for (size_t at = 0; at < rows; at += 32) {
        const float *some[32];
        for (size_t i = 0; i < 32; i++) some[i] = at + i < rows ? from + (at + i) * ld : NULL;
        ck_pack_panel(h->a->kernels, h->a->type, panels + at * ck_ceiling(n, h->p->elements), some, n);
    }
}

// Rows of n floats as the steps of panels.
static void pack_steps(const head *h, float *panels, const float *from, size_t ld, size_t rows, size_t n) {
    const ck_kernels *k = h->a->kernels;
    size_t elements = h->p->elements, steps = ck_ceiling(rows, elements);
    for (size_t s = 0; s < steps; s++) {
        size_t first = ck_panel_at(k, steps, s, 0), apart = ck_panel_at(k, steps, s, k->group % 32) - first;
        const float *row = from + s * elements * ld, *next = s * elements + 1 < rows ? row + ld : NULL;
        for (size_t at = 0; at < n; at += 32)
            k->pack_values((uint32_t *)(panels + at * steps + first), apart, row + at, next ? next + at : NULL, ck_smaller(32, n - at),
                           elements == 2);
    }
}

// The tables in descending order, as for the forward, that of columns behind that of rows.
static void pack_tables(const head *h) {
    const ck_attention *a = h->a;
    const plan *p = h->p;
    size_t length = ck_table_length(a), c = a->channels;
    float *plain = h->s + p->plain_tables;
    for (size_t t = 0; t < p->tables; t++)
        memcpy(plain + t * c, (t < length ? a->rel_h : a->rel_w) + (length - 1 - t % length) * c, c * sizeof(float));
    pack_rows(h, h->s + p->packed_tables, block_words(p, p->tables), plain, c, p->tables, c);
    turn_rows(h, h->s + p->turned_tables, block_words(p, c), plain, c, p->tables, c);
}

// A block of keys: the first, how many, and which of those that are kept.
typedef struct {
    size_t first, count, place;
} key_block;

// What a block of keys has of its own; and what it gets.
static void pack_keys(const head *h, key_block block) {
    const ck_attention *a = h->a;
    const plan *p = h->p;
    size_t words = block_words(p, p->keys), c = a->channels, vc = a->value_channels;
    const float *k = h->k + block.first * a->k_stride, *v = h->v + block.first * a->v_stride;
    pack_rows(h, h->s + p->packed_keys + packed_at(p, block.place, p->keys, c), words, k, a->k_stride, block.count, c);
    pack_rows(h, h->s + p->packed_values + packed_at(p, block.place, p->keys, vc), words, v, a->v_stride, block.count, vc);
    turn_rows(h, h->s + p->turned_keys + packed_at(p, block.place, c, p->keys), block_words(p, c), k, a->k_stride, block.count, c);
}

static void finish_keys(const head *h, key_block block) {
    const ck_attention *a = h->a;
    const plan *p = h->p;
    const float *dk = h->s + p->dk + block.place * p->keys * p->channels;
    const float *dv = h->s + p->dv + block.place * p->keys * p->value_channels;
    for (size_t i = 0; i < block.count; i++) {
        a->kernels->scale(h->dk + (block.first + i) * a->k_stride, a->scale, dk + i * p->channels, a->channels);
        memcpy(h->dv + (block.first + i) * a->v_stride, dv + i * p->value_channels, a->value_channels * sizeof(float));
    }
}

// Where, among the products with the tables, the terms of queries [first, first + count) with the grid's first row or column stand.
static void place_terms(const ck_attention *a, size_t axis, size_t first, size_t count, size_t at[most_together]) {
    for (size_t i = 0; i < count; i++) {
        size_t own = axis ? (first + i) % a->side : (first + i) / a->side;
        at[i] = (axis * ck_table_length(a) + a->side - 1 - own) * ck_row_words + i;
    }
}

// Terms of the queries with every row and column of the grid, from their products with the tables; and the way back.
static void spread_terms(const head *h, size_t first, size_t count) {
    const float *position = h->s + h->p->position;
    float *terms = h->s + h->p->terms;
    for (size_t axis = 0, at[most_together]; axis < 2; axis++) {
        place_terms(h->a, axis, first, count, at);
        for (size_t y = 0; y < h->a->side; y++, terms += ck_row_words)
            for (size_t i = 0; i < count; i++) terms[i] = position[at[i] + y * ck_row_words];
    }
}

static void gather_terms(const head *h, size_t first, size_t count) {
    const float *terms = h->s + h->p->dterms;
    float *position = h->s + h->p->position;
    memset(position, 0, h->p->tables * ck_row_words * sizeof(float));
    for (size_t axis = 0, at[most_together]; axis < 2; axis++) {
        place_terms(h->a, axis, first, count, at);
        for (size_t y = 0; y < h->a->side; y++, terms += ck_row_words)
            for (size_t i = 0; i < count; i++) position[at[i] + y * ck_row_words] = terms[i];
    }
}

// What a block of queries has of its own.
static void pack_queries(const head *h, size_t first, size_t count) {
    const ck_attention *a = h->a;
    const plan *p = h->p;
    const ck_kernels *k = a->kernels;
    size_t c = a->channels, vc = a->value_channels;
    const float *q = h->q + first * a->q_stride, *out = h->out + first * a->out_stride, *dout = h->dout + first * a->out_stride;
    float *s = h->s, *lse = s + p->lse, *mean = s + p->mean;
    pack_columns(h, s + p->q_columns, q, a->q_stride, count, c);
    pack_columns(h, s + p->dout_columns, dout, a->out_stride, count, vc);
    pack_steps(h, s + p->q_steps, q, a->q_stride, count, c);
    pack_steps(h, s + p->dout_steps, dout, a->out_stride, count, vc);
    for (size_t i = 0; i < whole(count); i++) {
        lse[i] = i < count ? a->lse[h->pair * a->queries + first + i] : 0;
        mean[i] = i < count ? k->dot(out + i * a->out_stride, rounded_of(h, dout + i * a->out_stride, vc), vc) : 0;
    }
    memset(s + p->terms + 2 * a->side * ck_row_words, 0, 2 * ck_row_words * sizeof(float));
    memset(s + p->dterms, 0, (2 * a->side + 2) * ck_row_words * sizeof(float));
    if (a->side) {
        multiply(h, p->tables, s + p->packed_tables, block_words(p, p->tables), s + p->q_columns, count, c, s + p->position, ck_row_words,
                 false);
        spread_terms(h, first, count);
    }
}

// Keys that lie in one row of the grid, or all that have no position; where their row's terms begin and those of their columns,
// and how far apart the latter are.
typedef struct {
    size_t count, row, column, apart;
} run;

// The run of keys from `key` on, which ends at `end` at the latest.
static run run_of(const ck_attention *a, size_t key, size_t end) {
    size_t side = a->side;
    if (key >= side * side) return (run){end - key, 2 * side * ck_row_words, (2 * side + 1) * ck_row_words, 0};
    return (run){ck_smaller(side - key % side, end - key), key / side * ck_row_words, (side + key % side) * ck_row_words, ck_row_words};
}

// A block of `count` queries against one of keys; whether they are the first of the head.
static void backward_block(const head *h, size_t count, key_block block, bool are_first_queries) {
    const ck_attention *a = h->a;
    const plan *p = h->p;
    const ck_kernels *k = a->kernels;
    size_t end = block.first + block.count, words = block_words(p, p->keys), c = a->channels, vc = a->value_channels;
    size_t columns = ck_ceiling(count, 16) * 16;
    float *s = h->s, *weights = s + p->weights, *ds = s + p->derivatives, *panels = s + p->panels;
    float *dk = s + p->dk + block.place * p->keys * p->channels, *dv = s + p->dv + block.place * p->keys * p->value_channels;
    const float *keys = s + p->packed_keys + packed_at(p, block.place, p->keys, c);
    const float *values = s + p->packed_values + packed_at(p, block.place, p->keys, vc);
    const float *turned = s + p->turned_keys + packed_at(p, block.place, c, p->keys);
    bool are_floats = a->type == ck_type_f32;
    multiply(h, block.count, keys, words, s + p->q_columns, count, c, weights, ck_row_words, false);
    for (size_t key = block.first; key < end;) {
        run r = run_of(a, key, end);
        k->softmax_columns(weights + (key - block.first) * ck_row_words, a->scale, h->bias ? h->bias + key : NULL,
                           s + p->terms + r.row, s + p->terms + r.column, r.apart, s + p->lse, r.count, columns);
        key += r.count;
    }
    multiply(h, block.count, packed_of(h, weights, block.count, count), 0, s + p->dout_steps, vc, count, dv, p->value_channels,
             !are_first_queries);
    multiply(h, block.count, values, words, s + p->dout_columns, count, vc, ds, ck_row_words, false);
    for (size_t key = block.first; key < end;) {
        run r = run_of(a, key, end);
        size_t at = key - block.first;
        k->softmax_columns_backward(ds + at * ck_row_words, weights + at * ck_row_words, s + p->mean, s + p->dterms + r.row,
                                    s + p->dterms + r.column, r.apart, r.count, columns, are_floats ? panels + at * k->group : NULL,
                                    block.count);
        key += r.count;
    }
    if (!are_floats) pack_steps(h, panels, ds, ck_row_words, block.count, count);
    multiply(h, block.count, packed_of(h, ds, block.count, count), 0, s + p->q_steps, c, count, dk, p->channels, !are_first_queries);
    multiply(h, c, turned, 0, panels, count, block.count, s + p->dq, ck_row_words, block.first > 0);
}

// dq of queries [first, first + count), and their part in the tables'.
static void finish_queries(const head *h, size_t first, size_t count) {
    const ck_attention *a = h->a;
    const plan *p = h->p;
    const ck_kernels *k = a->kernels;
    size_t c = a->channels;
    float *s = h->s;
    for (size_t i = 0; i < c; i++) k->scale(s + p->dq + i * ck_row_words, a->scale, s + p->dq + i * ck_row_words, count);
    if (a->side) {
        gather_terms(h, first, count);
        pack_steps(h, s + p->panels, s + p->position, ck_row_words, p->tables, count);
        multiply(h, c, s + p->turned_tables, block_words(p, c), s + p->panels, count, p->tables, s + p->dq, ck_row_words, true);
        multiply(h, p->tables, packed_of(h, s + p->position, p->tables, count), 0, s + p->q_steps, c, count, s + p->dtables, p->channels,
                 true);
    }
    k->turn((int32_t *)h->dq + first * a->q_stride, a->q_stride, (const int32_t *)(s + p->dq), ck_row_words, c, count);
}

// One head after the other, blocks in order: dk, dv and the tables' parts have one writer.
static void backward_head(void *context, size_t pair) {
    const backward_job *j = context;
    const ck_attention *a = j->a;
    const ck_attention_gradients *g = j->g;
    const plan *p = &j->p;
    size_t b = pair / a->heads, c = a->channels, vc = a->value_channels, length = ck_table_length(a);
    size_t q = b * a->q_batch + pair % a->heads * c, k = b * a->k_batch + pair % a->heads * c;
    size_t v = b * a->v_batch + pair % a->heads * vc, out = b * a->out_batch + pair % a->heads * vc;
    float *s = j->scratch + ck_worker() * j->size;
    head h = {.a = a, .p = p, .s = s, .pair = pair, .q = a->q + q, .k = a->k + k, .v = a->v + v, .out = a->out + out,
              .dout = g->dout + out, .bias = a->key_bias ? a->key_bias + b * a->keys : NULL, .dq = g->dq + q, .dk = g->dk + k,
              .dv = g->dv + v};
    pack_tables(&h);
    memset(s + p->dtables, 0, p->tables * p->channels * sizeof(float));
    // Without queries or keys there is one empty block of them, whose sums are 0.
    size_t first = 0;
    do {
        size_t count = ck_smaller(p->queries, a->queries - first), key = 0;
        pack_queries(&h, first, count);
        for (size_t i = 0; i == 0 || key < a->keys; key += p->keys, i++) {
            key_block block = {key, ck_smaller(p->keys, a->keys - key), i % p->kept};
            if (first == 0) pack_keys(&h, block);
            backward_block(&h, count, block, first == 0);
            if (first + count == a->queries) finish_keys(&h, block);
        }
        finish_queries(&h, first, count);
        first += p->queries;
    } while (first < a->queries);
    for (size_t t = 0; t < p->tables; t++) {
        float *table = (t < length ? g->drel_h : g->drel_w) + pair * length * c;
        memcpy(table + (length - 1 - t % length) * c, s + p->dtables + t * p->channels, c * sizeof(float));
    }
}

void ck_attention_backward(const ck_attention *a, const ck_attention_gradients *g, float *scratch) {
    CK_TIMED(ck_kind_attention_backward, 2.5 * 4.0 * (double)(a->batch * a->heads * a->queries) * (double)(a->keys * a->channels));
    backward_job j = {a, g, plan_of(a), scratch, ck_attention_scratch(a)};
    ck_parallel(a->batch * a->heads, &j, backward_head);
}
