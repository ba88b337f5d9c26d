#include "CSystem.h"

#include <libdeflate.h>

// The fastest: most of what is packed are differences of noisy values, of which more search makes nothing smaller.
static const int LEVEL = 1;

size_t cs_deflate_bound(size_t count) { return libdeflate_deflate_compress_bound(NULL, count); }

int cs_deflate(const uint8_t *in, size_t count, uint8_t *out, size_t capacity, size_t *written) {
    *written = 0;
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
    if (!compressor) return CS_DEFLATE_NO_MEMORY;
    *written = libdeflate_deflate_compress(compressor, in, count, out, capacity);
    libdeflate_free_compressor(compressor);
    return *written ? CS_DEFLATE_DONE : CS_DEFLATE_NO_MEMORY;
}
