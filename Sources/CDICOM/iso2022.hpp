#pragma once

#include <cstddef>
#include <string>

namespace cdicom {

/// The text in UTF-8; throws std::runtime_error for bytes that their character set does not have.
std::string utf8_of_iso2022(const std::string &character_set, const char *delimiters, const unsigned char *bytes, size_t count);

}  // namespace cdicom
