// The products of bfloat16 and 8 bits by AMX: a tile of sums is 16 rows of 16 columns, one of a factor has 16 steps along k.
//
// Panels are what the other AVX-512 products read; packed rows are whole lines apart, since what lies across two lines is read twice.
// Of bfloat16 the hardware sums the even and the odd elements of a tile's steps apart, from zero, then both, then adds that to the
// sum; numbers below 2⁻¹²⁶ are zeros to it. How many rows or columns are multiplied at once changes no sum.
#define _GNU_SOURCE
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "products.h"

enum {
    /// Rows of a tile, and words of one of its rows.
    side = 16,
    row_bytes = 4 * ck_line_row_words,
    panel_bytes = 4 * ck_panel_columns,
};

bool ck_amx_available(void) {
    enum { has_bf16 = 1u << 22, has_tiles = 1u << 24, has_int8 = 1u << 25, all = has_bf16 | has_tiles | has_int8 };
    // Linux gives the tiles' state to processes that ask for it (Documentation/arch/x86/xstate.rst).
    enum { request_permission = 0x1023, tile_data = 18 };
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & all) == all && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

#pragma clang attribute push(__attribute__((target("amx-tile,amx-int8,amx-bf16,avx512f"))), apply_to = function)

// Tiles 0 to 3 are sums: two of rows, `upper` and `lower` (may be 0) of them, by two of columns. 4 and 5 are rows, 6 and 7 steps of a panel.
static void configure(size_t upper, size_t lower, size_t words) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    for (size_t tile = 0; tile < 8; tile++) {
        size_t rows = tile >= 6 ? words : tile == 2 || tile == 3 || tile == 5 ? lower : upper;
        shape.rows[tile] = (uint8_t)rows;
        shape.bytes[tile] = (uint16_t)(rows == 0 ? 0 : tile == 4 || tile == 5 ? 4 * words : 4 * side);
    }
    _tile_loadconfig(&shape);
}

#define CK_TILES(NAME, PEAK, STEP)                                                                                         \
    static inline __attribute__((always_inline)) void NAME##_tiles(const bool both, size_t count, const char *a,           \
                                                                   const char *b, const char *ahead, char *c, size_t ldc,  \
                                                                   bool add) {                                             \
        char *below = c + side * ldc;                                                                                      \
        if (add) {                                                                                                         \
            _tile_loadd(0, c, ldc), _tile_loadd(1, c + 4 * side, ldc);                                                     \
            if (both) _tile_loadd(2, below, ldc), _tile_loadd(3, below + 4 * side, ldc);                                   \
        } else {                                                                                                           \
            _tile_zero(0), _tile_zero(1);                                                                                  \
            if (both) _tile_zero(2), _tile_zero(3);                                                                        \
        }                                                                                                                  \
        for (size_t i = 0; i < count; i++, a += 4 * side, b += side * panel_bytes) {                                       \
            if (ahead)                                                                                                     \
                for (size_t line = 0; line < side * panel_bytes; line += 64)                                               \
                    __builtin_prefetch(ahead + i * side * panel_bytes + line, 0, 2);                                       \
            _tile_loadd(6, b, panel_bytes), _tile_loadd(7, b + 4 * side, panel_bytes);                                     \
            _tile_loadd(4, a, row_bytes);                                                                                  \
            STEP(0, 4, 6), STEP(1, 4, 7);                                                                                  \
            if (both) {                                                                                                    \
                _tile_loadd(5, a + side * row_bytes, row_bytes);                                                           \
                STEP(2, 5, 6), STEP(3, 5, 7);                                                                              \
            }                                                                                                              \
        }                                                                                                                  \
        _tile_stored(0, c, ldc), _tile_stored(1, c + 4 * side, ldc);                                                       \
        if (both) _tile_stored(2, below, ldc), _tile_stored(3, below + 4 * side, ldc);                                     \
    }                                                                                                                      \
    /* All rows, two tiles at a time, and so many tiles of `words` along k. */                                             \
    static void NAME##_steps(size_t rows, size_t words, size_t count, const char *a, const char *b, const char *next,      \
                             char *c, size_t ldc, bool add) {                                                              \
        size_t whole = rows / (2 * side) * (2 * side), left = rows - whole, upper = left < side ? left : side;             \
        if (whole) configure(side, side, words);                                                                           \
        for (size_t r = 0; r < whole; r += 2 * side)                                                                       \
            NAME##_tiles(true, count, a + r * row_bytes, b, r == 0 ? next : NULL, c + r * ldc, ldc, add);                  \
        if (left == 0) return;                                                                                             \
        configure(upper, left - upper, words);                                                                             \
        a += whole * row_bytes, c += whole * ldc;                                                                          \
        if (left > side) NAME##_tiles(true, count, a, b, NULL, c, ldc, add);                                               \
        else NAME##_tiles(false, count, a, b, NULL, c, ldc, add);                                                          \
    }                                                                                                                      \
    void NAME(size_t rows, const void *from, const void *panel, const void *next, size_t steps, void *out, size_t ldc,     \
              bool add) {                                                                                                  \
        size_t count = steps / side, rest = steps % side;                                                                  \
        const char *a = from, *b = panel;                                                                                  \
        if (count || !rest) NAME##_steps(rows, side, count, a, b, next, out, 4 * ldc, add);                                \
        a += count * 4 * side, b += count * side * panel_bytes;                                                            \
        if (rest) NAME##_steps(rows, rest, 1, a, b, NULL, out, 4 * ldc, add || count);                                     \
        _tile_release();                                                                                                   \
    }                                                                                                                      \
    float PEAK(size_t iterations) {                                                                                        \
        configure(side, side, side);                                                                                       \
        _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3), _tile_zero(4), _tile_zero(5), _tile_zero(6),           \
            _tile_zero(7);                                                                                                 \
        for (size_t i = 0; i < iterations; i++) STEP(0, 4, 6), STEP(1, 4, 7), STEP(2, 5, 6), STEP(3, 5, 7);                \
        float sums[side * side];                                                                                           \
        _tile_stored(0, sums, 4 * side);                                                                                   \
        _tile_release();                                                                                                   \
        return sums[0];                                                                                                    \
    }

CK_TILES(ck_panel_bf16_amx, ck_peak_bf16_amx, _tile_dpbf16ps)
CK_TILES(ck_panel_i8_amx, ck_peak_i8_amx, _tile_dpbusd)
#pragma clang attribute pop
#endif
