#include "tiff_private.h"
#include <string.h>

/* Packed bits come most significant first, whatever the byte order of the file (TIFF 6.0, section 8: FillOrder). */
static uint32_t bits_at(const uint8_t *bytes, size_t position, unsigned bits) {
    uint32_t value = 0;
    for (unsigned i = 0; i < bits; i++, position++) value = value << 1 | (bytes[position >> 3] >> (7 - (position & 7)) & 1);
    return value;
}

void ci_place(const block *b, const ci_tiff_page *page, int is_big_endian, uint8_t *pixels) {
    size_t each = sample_bytes(page->bits);
    int whole = page->bits == 8 * each;
    for (uint32_t row = 0; row < b->rows; row++) {
        const uint8_t *source = b->bytes + row * b->stride;
        uint8_t *target = pixels + ((size_t)(b->row + row) * page->columns + b->column) * page->samples * each;
        if (whole && b->samples == page->samples) {
            memcpy(target, source, (size_t)b->columns * b->samples * each);
            continue;
        }
        for (uint32_t column = 0; column < b->columns; column++) {
            for (uint16_t sample = 0; sample < b->samples; sample++) {
                size_t from = (size_t)column * b->samples + sample;
                uint8_t *to = target + ((size_t)column * page->samples + b->first + sample) * each;
                if (whole) {
                    memcpy(to, source + from * each, each);
                } else if (page->bits == 24) {
                    uint32_t value = (uint32_t)number(source + from * 3, 3, is_big_endian);
                    memcpy(to, &value, 4);
                } else if (each == 1) {
                    *to = (uint8_t)bits_at(source, from * page->bits, page->bits);
                } else {
                    uint16_t value = (uint16_t)bits_at(source, from * page->bits, page->bits);
                    memcpy(to, &value, 2);
                }
            }
        }
    }
}

/* Samples that are the differences from their left neighbour's (TIFF 6.0, section 14), as they were placed: modulo their bits. */
void ci_add_left(const block *b, const ci_tiff_page *page, uint8_t *pixels) {
    size_t each = sample_bytes(page->bits), pixel = page->samples * each;
    uint64_t mask = page->bits < 64 ? ((uint64_t)1 << page->bits) - 1 : UINT64_MAX;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint8_t *first = pixels + ((size_t)(b->row + row) * page->columns + b->column) * pixel + b->first * each;
        for (uint32_t column = 1; column < b->columns; column++) {
            for (uint16_t sample = 0; sample < b->samples; sample++) {
                uint8_t *to = first + column * pixel + sample * each;
                uint64_t left = 0, value = 0;
                memcpy(&left, to - pixel, each);
                memcpy(&value, to, each);
                value = (value + left) & mask;
                memcpy(to, &value, each);
            }
        }
    }
}

static uint8_t clamp8(float value) { return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5f); }

colours ci_page_colours(TIFF *tiff) {
    colours c = {.299f, .587f, .114f, {0, 128, 128}, {255, 255, 255}};
    float *values = NULL;
    if (TIFFGetFieldDefaulted(tiff, TIFFTAG_YCBCRCOEFFICIENTS, &values) && values != NULL) {
        c.red = values[0], c.green = values[1], c.blue = values[2];
    }
    values = NULL;
    if (TIFFGetFieldDefaulted(tiff, TIFFTAG_REFERENCEBLACKWHITE, &values) && values != NULL) {
        for (int i = 0; i < 3; i++) c.black[i] = values[2 * i], c.white[i] = values[2 * i + 1];
    }
    return c;
}

static int near(float a, float b, float tolerance) { return a - b <= tolerance && b - a <= tolerance; }

/* What JFIF has, and what libjpeg's conversion assumes: BT.601 over the full range. */
int ci_is_jfif(const colours *c) {
    return near(c->red, .299f, .002f) && near(c->green, .587f, .002f) && near(c->blue, .114f, .002f) &&
           near(c->black[0], 0, 1) && near(c->white[0], 255, 1) && near(c->black[1], 128, 1) && near(c->white[1], 255, 1) &&
           near(c->black[2], 128, 1) && near(c->white[2], 255, 1);
}

int ci_makes_colours(const colours *c) {
    float sum = c->red + c->green + c->blue;
    return c->red > 0 && c->green > 0 && c->blue > 0 && near(sum, 1, .01f) && c->white[0] > c->black[0] &&
           c->white[1] > c->black[1] && c->white[2] > c->black[2];
}

static int is_far(float value) { return value < -48 || value > 255 + 48; }

/* Gives whether it is none of the colours that there are, by more than coding loses. */
static int ycbcr_to_rgb(const colours *c, uint8_t y, uint8_t cb, uint8_t cr, uint8_t *rgb) {
    float luma = ((float)y - c->black[0]) * 255 / (c->white[0] - c->black[0]);
    float b = ((float)cb - c->black[1]) * 127 / (c->white[1] - c->black[1]);
    float r = ((float)cr - c->black[2]) * 127 / (c->white[2] - c->black[2]);
    float red = luma + (2 - 2 * c->red) * r, blue = luma + (2 - 2 * c->blue) * b;
    float green = (luma - c->red * red - c->blue * blue) / c->green;
    rgb[0] = clamp8(red);
    rgb[1] = clamp8(green);
    rgb[2] = clamp8(blue);
    return is_far(red) || is_far(green) || is_far(blue);
}

ci_status ci_check_ycbcr(uint64_t impossible, uint64_t pixels, ci_error *error) {
    if (pixels < 1024 || impossible <= pixels / 32) return CI_OK;
    return ci_fail(error, CI_UNSUPPORTED, "is said to be YCbCr (Photometric 6), and its samples are those of RGB");
}

/* A strip or tile of subsampled YCbCr: units of h · v luma bytes, then Cb, Cr (TIFF 6.0, section 21). */
ci_status ci_place_ycbcr(const block *b, size_t size, const ci_tiff_page *page, const colours *how, uint32_t width,
                          uint8_t *pixels, uint64_t *impossible, ci_error *error) {
    uint32_t h = page->subsampling_x, v = page->subsampling_y;
    size_t unit = (size_t)h * v + 2, units = (width + h - 1) / h;
    if (((size_t)(b->rows + v - 1) / v) * units * unit > size) {
        return ci_fail(error, CI_TRUNCATED, "a strip of YCbCr ends too early");
    }
    for (uint32_t row = 0; row < b->rows; row++) {
        for (uint32_t column = 0; column < b->columns; column++) {
            const uint8_t *at = b->bytes + ((size_t)(row / v) * units + column / h) * unit;
            uint8_t *to = pixels + ((size_t)(b->row + row) * page->columns + b->column + column) * page->samples;
            *impossible += (uint64_t)ycbcr_to_rgb(how, at[(row % v) * h + column % h], at[h * v], at[h * v + 1], to);
        }
    }
    return CI_OK;
}
