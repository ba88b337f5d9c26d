// JPEG 2000 and High-Throughput JPEG 2000 through OpenJPEG, from memory, strict.
#include "guarded.hpp"

#include <openjpeg-2.5/openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

using namespace cdicom;

namespace {

struct Source {
    const uint8_t *bytes;
    size_t count, at;
};

OPJ_SIZE_T read_bytes(void *buffer, OPJ_SIZE_T count, void *user) {
    auto &source = *static_cast<Source *>(user);
    if (source.at >= source.count) return OPJ_SIZE_T(-1);
    const size_t given = std::min<size_t>(count, source.count - source.at);
    std::memcpy(buffer, source.bytes + source.at, given);
    source.at += given;
    return given;
}

OPJ_OFF_T skip_bytes(OPJ_OFF_T count, void *user) {
    auto &source = *static_cast<Source *>(user);
    if (count < 0) return -1;
    const size_t given = std::min<size_t>(size_t(count), source.count - source.at);
    source.at += given;
    return OPJ_OFF_T(given);
}

OPJ_BOOL seek_byte(OPJ_OFF_T position, void *user) {
    auto &source = *static_cast<Source *>(user);
    if (position < 0 || size_t(position) > source.count) return OPJ_FALSE;
    source.at = size_t(position);
    return OPJ_TRUE;
}

/// OpenJPEG's first complaint, which names the cause; later ones are consequences.
void keep_first(const char *message, void *user) {
    auto &text = *static_cast<std::string *>(user);
    if (text.empty() && message) text = message;
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= 32) text.pop_back();
}

void ignore(const char *, void *) {}

struct CodecEnd { void operator()(opj_codec_t *codec) const { opj_destroy_codec(codec); } };
struct StreamEnd { void operator()(opj_stream_t *stream) const { opj_stream_destroy(stream); } };
struct ImageEnd { void operator()(opj_image_t *image) const { opj_image_destroy(image); } };
struct InfoEnd { void operator()(opj_codestream_info_v2_t *info) const { opj_destroy_cstr_info(&info); } };

}  // namespace

cd_status cd_decode_jpeg2000(const uint8_t *stream, size_t count, const cd_frame *frame, int32_t *out, size_t capacity,
                             cd_stream *found, cd_error *error) noexcept {
    return guarded(error, [&] {
        *found = cd_stream{};
        const uint64_t pixels = uint64_t(frame->rows) * frame->columns;
        if (pixels == 0 || frame->samples == 0 || capacity / pixels < frame->samples)
            return fail(error, CD_MISMATCH, "the frame is larger than the room for it");
        // Boxes of a JP2 file are the caller's business: OpenJPEG's reader of them is not asked.
        static const uint8_t start[] = {0xFF, 0x4F, 0xFF, 0x51};
        if (count < sizeof start || std::memcmp(stream, start, sizeof start) != 0)
            return fail(error, CD_FAILED, "no JPEG 2000 code stream");

        std::string complaint;
        const auto failed = [&](const char *otherwise) {
            return fail(error, CD_FAILED, complaint.empty() ? otherwise : complaint.c_str());
        };
        std::unique_ptr<opj_codec_t, CodecEnd> codec(opj_create_decompress(OPJ_CODEC_J2K));
        std::unique_ptr<opj_stream_t, StreamEnd> input(opj_stream_create(1 << 16, OPJ_TRUE));
        if (!codec || !input) return fail(error, CD_NO_MEMORY, "not enough memory");
        opj_set_error_handler(codec.get(), keep_first, &complaint);
        opj_set_warning_handler(codec.get(), ignore, nullptr);
        opj_set_info_handler(codec.get(), ignore, nullptr);

        Source source{stream, count, 0};
        opj_stream_set_user_data(input.get(), &source, nullptr);
        opj_stream_set_user_data_length(input.get(), count);
        opj_stream_set_read_function(input.get(), read_bytes);
        opj_stream_set_skip_function(input.get(), skip_bytes);
        opj_stream_set_seek_function(input.get(), seek_byte);

        opj_dparameters_t parameters;
        opj_set_default_decoder_parameters(&parameters);
        if (!opj_setup_decoder(codec.get(), &parameters) || !opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE))
            return failed("the decoder could not be set up");

        opj_image_t *header = nullptr;
        const bool has_header = opj_read_header(input.get(), codec.get(), &header);
        std::unique_ptr<opj_image_t, ImageEnd> image(header);
        if (!has_header || !image) return failed("no JPEG 2000 header");
        if (image->numcomps != frame->samples) return fail(error, CD_MISMATCH, "the stream has another number of components than the tags say");
        if (image->x1 <= image->x0 || image->y1 <= image->y0 || image->x1 - image->x0 != frame->columns ||
            image->y1 - image->y0 != frame->rows)
            return fail(error, CD_MISMATCH, "the stream has another size than the tags say");
        for (OPJ_UINT32 i = 0; i < image->numcomps; ++i) {
            const opj_image_comp_t &component = image->comps[i];
            if (component.dy != 1 || component.dx == 0 || component.dx > 2 || (i == 0 && component.dx != 1))
                return fail(error, CD_MISMATCH, "the stream has components of fewer pixels (4:2:0 or 4:2:2), which this syntax does not allow");
            if (component.prec == 0 || component.prec > (frame->bits_allocated > 16 ? 31u : 16u) ||
                component.prec != image->comps[0].prec || component.sgnd != image->comps[0].sgnd)
                return fail(error, CD_MISMATCH, "the stream has another precision than the tags say");
        }
        found->precision = image->comps[0].prec;
        found->is_signed = int32_t(image->comps[0].sgnd);
        if (std::unique_ptr<opj_codestream_info_v2_t, InfoEnd> info{opj_get_cstr_info(codec.get())}) {
            found->colour_transformed = info->m_default_tile_info.mct != 0;
            if (info->m_default_tile_info.tccp_info)
                found->is_irreversible = info->m_default_tile_info.tccp_info[0].qmfbid == 0;
        }

        if (!opj_decode(codec.get(), input.get(), image.get())) return failed("the code stream is damaged");
        if (!opj_end_decompress(codec.get(), input.get())) return failed("the code stream ends too early");
        for (OPJ_UINT32 i = 0; i < image->numcomps; ++i) {
            const opj_image_comp_t &component = image->comps[i];
            const uint64_t width = (uint64_t(frame->columns) + component.dx - 1) / component.dx;
            if (!component.data || component.w != width || component.h != frame->rows)
                return fail(error, CD_FAILED, "a component was not decoded");
            for (uint64_t row = 0; row < frame->rows; ++row) {
                const OPJ_INT32 *line = component.data + row * width;
                int32_t *target = out + row * frame->columns * frame->samples + i;
                for (uint64_t column = 0; column < frame->columns; ++column)
                    target[column * frame->samples] = line[column / component.dx];
            }
        }
        return CD_OK;
    });
}
