// Matrix products whose factors are both packed on the way. A tile of the result is done by one thread: its rows are packed for a
// block along k, then each panel of 32 columns is multiplied with them. Where many tiles need the same panels they are packed once
// for all, else by each tile while they are in the first cache. However it is cut, the sums are the same.
#include <string.h>

#include "internal.h"

enum {
    /// Rows of a tile, half as many of bfloat16 held as floats; and words of its packed rows.
    tile_rows = 224,
    tile_words = tile_rows * ck_row_words,
    /// Rows that are turned or scaled at once, and room for one of them.
    some_rows = 16,
    some_steps = 32,
    row_floats = 2 * ck_block_steps + 16,
    /// Columns of a tile whose transpose is C.
    turned_columns = 256,
    most_panel_floats = 16 << 20,
};

typedef struct {
    const ck_kernels *kernels;
    ck_type type;
    bool ta, tb;
    size_t m, n, k, lda, ldb, ldc;
    float alpha, beta;
    const float *a, *b;
    float *c;
    // C is the transpose of the product: its factors changed places.
    bool turned;
    size_t tile_m, tile_n, tiles_m, tiles_n;
    // All panels of the right factor, block by block along k; NULL: each tile packs its own.
    float *panels;
} gemm;

static size_t most_rows(const ck_kernels *kernels, ck_type type) { return tile_rows / kernels->products[type].words; }

// Elements [s, s + count) of alpha · op(A)'s rows [i, i + rows).
static void pack_rows(const gemm *g, float *packed, size_t i, size_t rows, size_t s, size_t count) {
    const ck_product *product = &g->kernels->products[g->type];
    const float *from = g->a + s * g->lda + i;
    if (g->ta && g->type == ck_type_f32 && g->alpha == 1.0f) {
        // Nothing but turned. Some lines of A after each other: what lies beside each other in memory is read at once.
        for (size_t t = 0, n; t < count; t += n) {
            n = ck_smaller(some_steps, count - t);
            // The next lines, which lie far apart.
            for (size_t next = t + n; next < t + 2 * n && s + next < g->k; next++)
                for (size_t r = 0; r < rows; r += 16) __builtin_prefetch(from + next * g->lda + r, 0, 3);
            for (size_t first = 0; first < rows; first += some_rows)
                g->kernels->turn((int32_t *)packed + first * ck_row_words + t, ck_row_words,
                                 (const int32_t *)from + t * g->lda + first, g->lda, n, ck_smaller(some_rows, rows - first));
        }
        return;
    }
    float some[some_rows * row_floats];
    for (size_t first = 0; first < rows; first += some_rows) {
        size_t n = ck_smaller(some_rows, rows - first);
        if (g->ta)
            for (size_t t = 0, m; t < count; t += m) {
                m = ck_smaller(some_steps, count - t);
                g->kernels->turn((int32_t *)some + t, row_floats, (const int32_t *)from + t * g->lda + first, g->lda, m, n);
            }
        for (size_t r = 0; r < n; r++) {
            float *row = some + r * row_floats;
            const float *given = g->ta ? row : g->a + (i + first + r) * g->lda + s;
            if (g->alpha != 1.0f) g->kernels->scale(row, g->alpha, given, count), given = row;
            product->pack(packed + (first + r) * product->row_words, given, count);
        }
    }
}

// The same elements of op(B)'s columns [j, j + width), width at most 32.
static void pack_columns(const gemm *g, float *panel, size_t j, size_t width, size_t s, size_t count) {
    if (g->tb) {
        const float *rows[32];
        for (size_t c = 0; c < 32; c++) rows[c] = c < width ? g->b + (j + c) * g->ldb + s : NULL;
        ck_pack_panel(g->kernels, g->type, panel, rows, count);
        return;
    }
    bool pairs = g->type == ck_type_bf16;
    size_t group = g->kernels->group, apart = ck_ceiling(count, ck_elements(g->type)) * group;
    for (size_t t = 0; t < count; t += ck_elements(g->type), panel += group) {
        const float *row = g->b + (s + t) * g->ldb + j;
        g->kernels->pack_values((uint32_t *)panel, apart, row, pairs && t + 1 < count ? row + g->ldb : NULL, width, pairs);
    }
}

// Where `panels` holds the panel of column j (a multiple of 32) of the block along k that begins at s and has `steps`.
static float *panel_of(const gemm *g, size_t j, size_t s, size_t steps) {
    return g->panels + (s / ck_elements(g->type) * ck_ceiling(g->n, 32) + j / 32 * steps) * 32;
}

static void pack_panel(void *context, size_t panel) {
    const gemm *g = context;
    size_t elements = ck_elements(g->type), block = ck_block_steps * elements, j = panel * 32;
    for (size_t s = 0; s < g->k; s += block) {
        size_t count = ck_smaller(block, g->k - s);
        pack_columns(g, panel_of(g, j, s, ck_ceiling(count, elements)), j, ck_smaller(32, g->n - j), s, count);
    }
}

// Rows [i, i + rows) and columns [j, j + columns) of the product.
static void multiply(const gemm *g, size_t i, size_t rows, size_t j, size_t columns) {
    const ck_product *product = &g->kernels->products[g->type];
    _Alignas(64) float packed[tile_words], own[ck_block_steps * 32], edge[tile_rows * 32];
    // Where C is the transpose the sums grow beside it.
    _Alignas(64) float turned[tile_rows * turned_columns], *c = g->turned ? turned : g->c + i * g->ldc + j;
    size_t ldc = g->turned ? columns : g->ldc;
    if (g->turned && g->beta != 0.0f)
        g->kernels->turn((int32_t *)c, ldc, (const int32_t *)(g->c + j * g->ldc + i), g->ldc, columns, rows);
    if (g->k == 0 || (g->beta != 0.0f && g->beta != 1.0f))
        for (size_t r = 0; r < rows; r++) {
            if (g->beta == 0.0f) memset(c + r * ldc, 0, columns * sizeof(float));
            else g->kernels->scale(c + r * ldc, g->beta, c + r * ldc, columns);
        }
    size_t elements = ck_elements(g->type), block = ck_block_steps * elements;
    for (size_t s = 0; s < g->k; s += block) {
        size_t count = ck_smaller(block, g->k - s), steps = ck_ceiling(count, elements);
        bool add = s > 0 || g->beta != 0.0f;
        pack_rows(g, packed, i, rows, s, count);
        for (size_t at = 0; at < columns; at += 32) {
            size_t width = ck_smaller(32, columns - at);
            const float *panel = own;
            if (g->panels) panel = panel_of(g, j + at, s, steps);
            else pack_columns(g, own, j + at, width, s, count);
            if (width == 32) {
                product->panel(rows, packed, panel, panel + 32 * steps, steps, c + at, ldc, add);
                continue;
            }
            for (size_t r = 0; add && r < rows; r++) memcpy(edge + r * 32, c + r * ldc + at, width * sizeof(float));
            product->panel(rows, packed, panel, panel + 32 * steps, steps, edge, 32, add);
            for (size_t r = 0; r < rows; r++) memcpy(c + r * ldc + at, edge + r * 32, width * sizeof(float));
        }
    }
    if (g->turned) g->kernels->turn((int32_t *)(g->c + j * g->ldc + i), g->ldc, (const int32_t *)c, ldc, rows, columns);
}

static void gemm_tile(void *context, size_t tile) {
    const gemm *g = context;
    size_t i = tile / g->tiles_n * g->tile_m, j = tile % g->tiles_n * g->tile_n;
    multiply(g, i, ck_smaller(g->tile_m, g->m - i), j, ck_smaller(g->tile_n, g->n - j));
}

// How C is cut into tiles, and whether its factors change places; m and n are not 0.
static gemm plan_of(const ck_kernels *kernels, ck_type type, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha) {
    // Rows that have to be turned cost more to pack than columns that have not: let them be those that no other tile packs too.
    bool turned = ta && !tb && alpha == 1.0f && m < n;
    gemm g = {.kernels = kernels, .type = type, .ta = ta, .tb = tb, .m = turned ? n : m, .n = turned ? m : n, .k = k,
              .alpha = alpha, .turned = turned};
    // Enough tiles that no thread waits long for the last one. Rather few rows than few columns: rows are packed again by every tile
    // beside theirs. Sums do not depend on the tiles.
    size_t wanted = 4 * ck_pool_threads(), most = most_rows(kernels, type), least = ck_smaller(most, 84);
    size_t each = ck_ceiling(g.m, wanted);
    each = each < least ? least : each > most ? most : each;
    // As many tiles for each thread.
    size_t tiles = ck_ceiling(ck_ceiling(g.m, each), ck_pool_threads()) * ck_pool_threads();
    each = ck_ceiling(g.m, tiles);
    g.tile_m = each < least ? least : each;
    g.tiles_m = ck_ceiling(g.m, g.tile_m);
    size_t parts = ck_smaller(ck_ceiling(wanted, g.tiles_m), ck_ceiling(g.n, 64));
    if (turned && parts < ck_ceiling(g.n, turned_columns)) parts = ck_ceiling(g.n, turned_columns);
    bool is_cut = turned || (double)m * (double)n * (double)k > 1e6;
    g.tile_n = is_cut ? ck_ceiling(ck_ceiling(g.n, parts), 32) * 32 : g.n;
    g.tiles_n = ck_ceiling(g.n, g.tile_n);
    return g;
}

size_t ck_gemm_scratch(const ck_kernels *kernels, ck_type type, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha) {
    if (m == 0 || n == 0) return 0;
    gemm g = plan_of(kernels, type, ta, tb, m, n, k, alpha);
    size_t floats = ck_ceiling(k, ck_elements(type)) * ck_ceiling(g.n, 32) * 32;
    return g.tiles_m > 2 && floats <= most_panel_floats ? floats : 0;
}

void ck_gemm(const ck_kernels *kernels, ck_type type, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *a,
             size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc, float *scratch) {
    CK_TIMED(ck_kind_gemm, 2.0 * (double)m * (double)n * (double)k);
    if (m == 0 || n == 0) return;
    gemm g = plan_of(kernels, type, ta, tb, m, n, k, alpha);
    g.a = g.turned ? b : a, g.lda = g.turned ? ldb : lda;
    g.b = g.turned ? a : b, g.ldb = g.turned ? lda : ldb;
    g.beta = beta, g.c = c, g.ldc = ldc, g.panels = scratch;
    if (g.panels) ck_parallel(ck_ceiling(g.n, 32), &g, pack_panel);
    ck_parallel(g.tiles_m * g.tiles_n, &g, gemm_tile);
}
