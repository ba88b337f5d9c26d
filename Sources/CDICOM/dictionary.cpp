// Start-up, data dictionary, character sets and the whole-file check.
#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcistrmb.h"
#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcspchrs.h"
#include "dcmtk/oflog/oflog.h"

#include "guarded.hpp"
#include "iso2022.hpp"

#include <time.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <string>

using namespace cdicom;

cd_status cd_initialize(cd_error *error) noexcept {
    return guarded(error, [&] {
        static std::once_flag once;
        static bool loaded = false;
        std::call_once(once, [] {
            OFLog::configure(OFLogger::OFF_LOG_LEVEL);
            loaded = dcmDataDict.rdlock().isDictionaryLoaded();
            dcmDataDict.rdunlock();
        });
        if (!loaded)
            return fail(error, CD_NO_DICTIONARY, "the data dictionary of DCMTK is missing; install the package libdcmtk17");
        return CD_OK;
    });
}

double cd_thread_seconds(void) noexcept {
    timespec now{};
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) return 0;
    return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

void cd_value_representation(uint16_t group, uint16_t element, char vr[3]) noexcept {
    std::memcpy(vr, "UN", 3);
    try {
        cd_error ignored;
        cd_initialize(&ignored);
        const DcmDataDictionary &dictionary = dcmDataDict.rdlock();
        const DcmDictEntry *entry = dictionary.findEntry(DcmTagKey(group, element), nullptr);
        const char *name = entry ? DcmVR(entry->getEVR()).getVRName() : nullptr;
        if (name && std::strlen(name) == 2) std::memcpy(vr, name, 2);
        dcmDataDict.rdunlock();
    } catch (...) {
    }
}

cd_status cd_to_utf8(const char *character_set, const char *delimiters, const uint8_t *bytes, size_t count, uint8_t *out,
                     size_t capacity, size_t *length, cd_error *error) noexcept {
    return guarded(error, [&] {
        // Opening converters costs far more than converting a name, and one file has one character set.
        thread_local std::string selected;
        thread_local std::unique_ptr<DcmSpecificCharacterSet> converter;
        cd_initialize(error);
        *length = 0;
        if (std::strstr(character_set, "2022")) {
            const std::string text = utf8_of_iso2022(character_set, delimiters, bytes, count);
            *length = text.size();
            if (text.size() <= capacity) std::memcpy(out, text.data(), text.size());
            return CD_OK;
        }
        if (!converter || selected != character_set) {
            converter = std::make_unique<DcmSpecificCharacterSet>();
            selected = character_set;
            const OFCondition condition = converter->selectCharacterSet(character_set);
            if (condition.bad()) {
                converter.reset();
                return fail(error, CD_FAILED, condition.text());
            }
        }
        OFString text;
        const OFCondition condition =
            converter->convertString(reinterpret_cast<const char *>(bytes), count, text, delimiters);
        if (condition.bad()) return fail(error, CD_FAILED, condition.text());
        *length = text.length();
        if (text.length() <= capacity) std::memcpy(out, text.data(), text.length());
        return CD_OK;
    });
}

cd_status cd_check_file(const uint8_t *bytes, size_t count, cd_error *error) noexcept {
    return guarded(error, [&] {
        const cd_status started = cd_initialize(error);
        if (started != CD_OK) return started;
        DcmInputBufferStream stream;
        stream.setBuffer(bytes, static_cast<offile_off_t>(count));
        stream.setEos();
        DcmFileFormat file;
        file.transferInit();
        OFCondition condition = file.read(stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength);
        file.transferEnd();
        // What was left unread would be a value that ends behind the file.
        if (condition.good() && stream.avail() > 0) return fail(error, CD_FAILED, "bytes behind the last element");
        OFString uid;
        if (condition.good()) condition = file.getDataset()->findAndGetOFString(DCM_SOPClassUID, uid);
        if (condition.good()) condition = file.getDataset()->findAndGetOFString(DCM_SOPInstanceUID, uid);
        return condition.good() ? CD_OK : fail(error, CD_FAILED, condition.text());
    });
}
