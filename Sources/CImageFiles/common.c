#include "private.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

ci_status ci_fail(ci_error *error, ci_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->status = status;
    return status;
}

void ci_free(void *memory) { free(memory); }

void ci_image_free(ci_image *image) {
    free(image->pixels);
    image->pixels = NULL;
}

uint8_t *ci_read_source(const ci_source *source, const ci_limits *limits, ci_error *error) {
    if (source->size == 0) {
        ci_fail(error, CI_TRUNCATED, "has no bytes");
        return NULL;
    }
    if (ci_check_memory(limits, source->size, error) != CI_OK) return NULL;
    uint8_t *bytes = malloc((size_t)source->size);
    if (bytes == NULL) {
        ci_fail(error, CI_MEMORY, "no memory for %llu bytes", (unsigned long long)source->size);
        return NULL;
    }
    if (source->read(source->context, 0, bytes, (size_t)source->size)) return bytes;
    ci_fail(error, CI_TRUNCATED, "cannot be read to its end");
    free(bytes);
    return NULL;
}

FILE *ci_open_source(const ci_source *source, const ci_limits *limits, uint8_t **bytes, ci_error *error) {
    *bytes = ci_read_source(source, limits, error);
    if (*bytes == NULL) return NULL;
    FILE *file = fmemopen(*bytes, (size_t)source->size, "rb");
    if (file == NULL) ci_fail(error, CI_MEMORY, "no memory");
    return file;
}

int ci_is_padding(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0 && bytes[i] != 0xFF) return 0;
    }
    return 1;
}

ci_status ci_check_size(
    const ci_limits *limits, uint64_t rows, uint64_t columns, uint64_t samples, uint64_t bytes_each, size_t *size,
    ci_error *error) {
    if (rows == 0 || columns == 0 || samples == 0) {
        return ci_fail(error, CI_CORRUPT, "has %llu rows of %llu columns, %llu samples a pixel",
                       (unsigned long long)rows, (unsigned long long)columns, (unsigned long long)samples);
    }
    /* rows, columns below 2^32 and samples below 2^16: each check keeps the next product inside 64 bits. */
    if (rows > limits->max_side || columns > limits->max_side || rows * columns > limits->max_samples ||
        rows * columns * samples > limits->max_samples) {
        return ci_fail(error, CI_LIMIT,
                       "claims %llu rows of %llu columns, %llu samples a pixel (limits: %u a side, %llu samples)",
                       (unsigned long long)rows, (unsigned long long)columns, (unsigned long long)samples,
                       limits->max_side, (unsigned long long)limits->max_samples);
    }
    *size = (size_t)(rows * columns * samples * bytes_each);
    return CI_OK;
}

ci_status ci_check_memory(const ci_limits *limits, uint64_t bytes, ci_error *error) {
    if (bytes <= limits->max_bytes) return CI_OK;
    return ci_fail(error, CI_LIMIT, "needs %llu MiB of memory to be decoded (limit: %llu MiB)",
                   (unsigned long long)(bytes >> 20), (unsigned long long)(limits->max_bytes >> 20));
}

double ci_thread_seconds(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) return 0;
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

ci_status ci_check_time(const ci_limits *limits, double start, ci_error *error) {
    if (ci_thread_seconds() - start <= limits->max_seconds) return CI_OK;
    return ci_fail(error, CI_LIMIT, "takes more than %.0f s of processor time to be decoded", limits->max_seconds);
}

int ci_memory_write(ci_memory *memory, const void *bytes, size_t size) {
    size_t end = memory->position + size;
    if (end < size) return 0;
    if (end > memory->capacity) {
        size_t capacity = memory->capacity < 4096 ? 4096 : memory->capacity;
        while (capacity < end) {
            if (capacity > SIZE_MAX / 2) return 0;
            capacity *= 2;
        }
        uint8_t *grown = realloc(memory->bytes, capacity);
        if (grown == NULL) return 0;
        memset(grown + memory->capacity, 0, capacity - memory->capacity);
        memory->bytes = grown;
        memory->capacity = capacity;
    }
    memcpy(memory->bytes + memory->position, bytes, size);
    memory->position = end;
    if (end > memory->size) memory->size = end;
    return 1;
}
