// Texts with ISO 2022 code extensions (PS3.5 6.1.2.5) to UTF-8. Debian's DCMTK converts with the C library's iconv, which has no
// JIS X 0208 or JIS X 0212 of its own; written as EUC they are there, so escape sequences are followed here.
#include "iso2022.hpp"

#include <iconv.h>

#include <cstring>
#include <stdexcept>

namespace cdicom {

namespace {

/// A designated character set: bytes are written as `prefix` and the bytes with their high bits set, `width` at a time.
struct Designation {
    const char *encoding;
    int width;
    unsigned char prefix;
};

const Designation ascii{nullptr, 1, 0};
const Designation none{nullptr, 0, 0};

struct Escape {
    const char *sequence;
    bool is_high;
    Designation designation;
};

// PS3.3 C.12.1.1.2, tables C.12-3 and C.12-4. G0 JIS X 0201 (Roman) differs from ASCII in two characters, which names do not use.
const Escape escapes[] = {
    {"\x1b(B", false, ascii},
    {"\x1b(J", false, ascii},
    {"\x1b$B", false, {"EUC-JP", 2, 0}},
    {"\x1b$(D", false, {"EUC-JP", 2, 0x8F}},
    {"\x1b)I", true, {"EUC-JP", 1, 0x8E}},
    {"\x1b$)C", true, {"EUC-KR", 2, 0}},
    {"\x1b$)A", true, {"GB2312", 2, 0}},
    {"\x1b-A", true, {"ISO-8859-1", 1, 0}},
    {"\x1b-B", true, {"ISO-8859-2", 1, 0}},
    {"\x1b-C", true, {"ISO-8859-3", 1, 0}},
    {"\x1b-D", true, {"ISO-8859-4", 1, 0}},
    {"\x1b-F", true, {"ISO-8859-7", 1, 0}},
    {"\x1b-G", true, {"ISO-8859-6", 1, 0}},
    {"\x1b-H", true, {"ISO-8859-8", 1, 0}},
    {"\x1b-L", true, {"ISO-8859-5", 1, 0}},
    {"\x1b-M", true, {"ISO-8859-9", 1, 0}},
    {"\x1b-T", true, {"TIS-620", 1, 0}},
};

/// The high half that the first value of Specific Character Set designates from the start.
Designation initial_high(const std::string &character_set) {
    static const struct { const char *number, *sequence; } sets[] = {
        {"100", "\x1b-A"}, {"101", "\x1b-B"}, {"109", "\x1b-C"}, {"110", "\x1b-D"}, {"126", "\x1b-F"}, {"127", "\x1b-G"},
        {"138", "\x1b-H"}, {"144", "\x1b-L"}, {"148", "\x1b-M"}, {"166", "\x1b-T"}, {"13", "\x1b)I"},
    };
    const std::string first = character_set.substr(0, character_set.find('\\'));
    const size_t blank = first.rfind(' ');
    if (blank == std::string::npos) return none;
    for (const auto &set : sets)
        if (first.compare(blank + 1, std::string::npos, set.number) == 0)
            for (const Escape &escape : escapes)
                if (!std::strcmp(escape.sequence, set.sequence)) return escape.designation;
    return none;
}

void append_converted(std::string &out, const std::string &bytes, const char *encoding) {
    const iconv_t converter = iconv_open("UTF-8", encoding);
    if (converter == iconv_t(-1)) throw std::runtime_error("the C library lacks a character set");
    char buffer[16];
    char *in = const_cast<char *>(bytes.data()), *to = buffer;
    size_t in_left = bytes.size(), to_left = sizeof buffer;
    const size_t result = iconv(converter, &in, &in_left, &to, &to_left);
    iconv_close(converter);
    if (result == size_t(-1) || in_left) throw std::runtime_error("bytes outside their character set");
    out.append(buffer, size_t(to - buffer));
}

}  // namespace

std::string utf8_of_iso2022(const std::string &character_set, const char *delimiters, const unsigned char *bytes, size_t count) {
    std::string out;
    const Designation first = initial_high(character_set);
    Designation low = ascii, high = first;
    for (size_t at = 0; at < count;) {
        const unsigned char byte = bytes[at];
        if (byte == 0x1B) {
            const Escape *found = nullptr;
            for (const Escape &escape : escapes) {
                const size_t length = std::strlen(escape.sequence);
                if (length <= count - at && !std::memcmp(bytes + at, escape.sequence, length)) found = &escape;
            }
            if (!found) throw std::runtime_error("an unknown escape sequence");
            (found->is_high ? high : low) = found->designation;
            at += std::strlen(found->sequence);
            continue;
        }
        const Designation &set = byte < 0x80 ? low : high;
        const bool is_control = byte < 0x20;
        if (byte < 0x80 && (is_control || !set.encoding)) {
            out.push_back(char(byte));
            ++at;
            if (is_control || std::strchr(delimiters, byte)) {
                low = ascii;
                high = first;
            }
            continue;
        }
        if (!set.encoding || size_t(set.width) > count - at) throw std::runtime_error("bytes outside their character set");
        std::string character;
        if (set.prefix) character.push_back(char(set.prefix));
        for (int i = 0; i < set.width; ++i) character.push_back(char(bytes[at + size_t(i)] | 0x80));
        append_converted(out, character, set.encoding);
        at += size_t(set.width);
    }
    return out;
}

}  // namespace cdicom
