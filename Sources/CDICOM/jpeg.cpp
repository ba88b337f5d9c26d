// JPEG and JPEG-LS through DCMTK's decoders. They are called directly, without DCMTK's registry, so that nothing but the
// stream and our own description of the frame decides.
#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcpixel.h"
#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"
#include "dcmtk/dcmjpeg/djcparam.h"
#include "dcmtk/dcmjpeg/djdijg12.h"
#include "dcmtk/dcmjpeg/djdijg16.h"
#include "dcmtk/dcmjpeg/djdijg8.h"
#include "dcmtk/dcmjpls/djcodecd.h"
#include "dcmtk/dcmjpls/djcparam.h"
#include "dcmtk/oflog/appender.h"
#include "dcmtk/oflog/oflog.h"
#include "dcmtk/oflog/spi/logevent.h"

#include "guarded.hpp"

#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <string>

using namespace cdicom;

namespace {

/// Bytes of a frame; 0 when they do not fit 32 bits, which is DCMTK's limit.
uint64_t frame_bytes(const cd_frame &frame, uint32_t sample_bytes) {
    const uint64_t pixels = uint64_t(frame.rows) * frame.columns;
    if (frame.samples == 0 || frame.samples > 4 || pixels > (uint64_t(1) << 30)) return 0;
    const uint64_t bytes = pixels * frame.samples * sample_bytes;
    return bytes <= std::numeric_limits<Uint32>::max() - 16 ? bytes : 0;
}

/// What the JPEG decoder of this thread warns about: damage that it paints over, with grey or with what it decodes from there on. DCMTK tells
/// it to its log alone. These three say nothing of the data, or nothing that another decoder would read otherwise: an unknown colour transform
/// or revision, and baseline files with zeros for the parameters of a scan. Bytes that belong to no segment are counted, for the caller to look at.
struct Complaints {
    std::string damage;
    uint64_t skipped = 0;

    Complaints() { current = this; }
    ~Complaints() { current = nullptr; }
    Complaints(const Complaints &) = delete;
    Complaints &operator=(const Complaints &) = delete;

    void add(const std::string &text) {
        for (const char *harmless : {"Unknown Adobe color transform", "Warning: unknown JFIF revision", "Invalid SOS parameters"})
            if (text.compare(0, std::char_traits<char>::length(harmless), harmless) == 0) return;
        const uint64_t bytes = extraneous(text);
        skipped += bytes;
        if (bytes == 0 && damage.empty()) damage = text;
    }

    // How many bytes stood between segments; 0 for any other message.
    static uint64_t extraneous(const std::string &text) {
        const std::string before = "Corrupt JPEG data: ", behind = " extraneous bytes";
        if (text.compare(0, before.size(), before) != 0) return 0;
        char *end = nullptr;
        const unsigned long bytes = std::strtoul(text.c_str() + before.size(), &end, 10);
        return text.compare(size_t(end - text.c_str()), behind.size(), behind) == 0 ? bytes : 0;
    }

    static thread_local Complaints *current;
};

thread_local Complaints *Complaints::current = nullptr;

/// Where DCMTK's JPEG decoders log to.
class Listener final : public dcmtk::log4cplus::Appender {
public:
    ~Listener() override { destructorImpl(); }
    void close() override {}

    /// Installs one for all threads, once.
    static void install() {
        static std::once_flag once;
        std::call_once(once, [] {
            OFLogger logger = OFLog::getLogger("dcmtk.dcmjpeg");
            logger.setLogLevel(OFLogger::WARN_LOG_LEVEL);
            logger.setAdditivity(false);
            logger.addAppender(dcmtk::log4cplus::SharedAppenderPtr(new Listener));
        });
    }

protected:
    void append(const dcmtk::log4cplus::spi::InternalLoggingEvent &event) override {
        if (Complaints::current) Complaints::current->add(std::string(event.getMessage().c_str()));
    }
};

std::unique_ptr<DJDecoder> jpeg_decoder(uint32_t precision, const DJCodecParameter &parameter) {
    if (precision <= 8) return std::make_unique<DJDecompressIJG8Bit>(parameter, OFFalse);
    if (precision <= 12) return std::make_unique<DJDecompressIJG12Bit>(parameter, OFFalse);
    return std::make_unique<DJDecompressIJG16Bit>(parameter, OFFalse);
}

}  // namespace

cd_status cd_decode_jpeg(const uint8_t *stream, size_t count, const cd_frame *frame, uint32_t precision, int32_t cornell,
                         uint8_t *out, size_t capacity, uint64_t *skipped, cd_error *error) noexcept {
    return guarded(error, [&] {
        *skipped = 0;
        cd_initialize(error);
        Listener::install();
        Complaints complaints;
        const uint64_t bytes = frame_bytes(*frame, precision <= 8 ? 1 : 2);
        if (bytes == 0 || capacity < bytes || count > std::numeric_limits<Uint32>::max() - 16)
            return fail(error, CD_MISMATCH, "the frame is too large for the decoder");
        const DJCodecParameter parameter(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel, OFFalse,
                                         cornell ? OFTrue : OFFalse);
        const std::unique_ptr<DJDecoder> decoder = jpeg_decoder(precision, parameter);
        OFCondition condition = decoder->init();
        if (condition.good())
            condition = decoder->decode(const_cast<Uint8 *>(stream), Uint32(count), out, Uint32(bytes),
                                        frame->is_signed ? OFTrue : OFFalse);
        if (condition == EJ_Suspension) return fail(error, CD_TRUNCATED, "the JPEG stream ends too early");
        if (condition.bad()) return fail(error, CD_FAILED, condition.text());
        *skipped = complaints.skipped;
        return complaints.damage.empty() ? CD_OK : fail(error, CD_FAILED, complaints.damage.c_str());
    });
}

cd_status cd_decode_jpeg_ls(const uint8_t *stream, size_t count, const cd_frame *frame, uint8_t *out, size_t capacity,
                            cd_error *error) noexcept {
    return guarded(error, [&] {
        cd_initialize(error);
        const uint32_t sample_bytes = frame->bits_allocated <= 8 ? 1 : 2;
        const uint64_t bytes = frame_bytes(*frame, sample_bytes);
        if (bytes == 0 || capacity < bytes || frame->rows > 0xFFFF || frame->columns > 0xFFFF ||
            count > std::numeric_limits<Uint32>::max() - 16)
            return fail(error, CD_MISMATCH, "the frame is too large for the decoder");

        DcmDataset description;
        description.putAndInsertUint16(DCM_SamplesPerPixel, Uint16(frame->samples));
        // The name decides nothing but the colour model that the codec reports, which we do not read.
        description.putAndInsertString(DCM_PhotometricInterpretation, frame->samples == 1 ? "MONOCHROME2" : "RGB");
        description.putAndInsertUint16(DCM_Rows, Uint16(frame->rows));
        description.putAndInsertUint16(DCM_Columns, Uint16(frame->columns));
        description.putAndInsertUint16(DCM_BitsAllocated, Uint16(sample_bytes * 8));
        description.putAndInsertUint16(DCM_BitsStored, Uint16(frame->bits_stored));
        description.putAndInsertUint16(DCM_HighBit, Uint16(frame->bits_stored - 1));
        description.putAndInsertUint16(DCM_PixelRepresentation, Uint16(frame->is_signed != 0));
        description.putAndInsertUint16(DCM_PlanarConfiguration, 0);
        description.putAndInsertString(DCM_NumberOfFrames, "1");

        DcmPixelSequence sequence(DCM_PixelSequenceTag);
        for (const bool is_table : {true, false}) {
            auto item = std::make_unique<DcmPixelItem>(DCM_PixelItemTag);
            if (!is_table) {
                const OFCondition condition = item->putUint8Array(stream, Uint32(count));
                if (condition.bad()) return fail(error, CD_FAILED, condition.text());
            }
            const OFCondition condition = sequence.insert(item.get());
            if (condition.bad()) return fail(error, CD_FAILED, condition.text());
            item.release();
        }

        const DJLSCodecParameter parameter(EJLSUC_never, EJLSPC_colorByPixel, OFTrue, OFTrue);
        const DJLSLosslessDecoder decoder;  // decodes near-lossless streams as well: the stream says which it is
        const DcmCodec &codec = decoder;
        Uint32 fragment = 1;
        OFString model;
        const OFCondition condition =
            codec.decodeFrame(nullptr, &sequence, &parameter, &description, 0, fragment, out, Uint32(capacity), model);
        return condition.good() ? CD_OK : fail(error, CD_FAILED, condition.text());
    });
}
