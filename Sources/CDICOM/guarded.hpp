// What every file of this room shares: errors as text, exceptions stopped at the C boundary.
#pragma once

#include "CDICOM.h"

#include <cstdio>
#include <exception>
#include <new>

namespace cdicom {

inline cd_status fail(cd_error *error, cd_status status, const char *text) noexcept {
    std::snprintf(error->text, sizeof error->text, "%s", text);
    for (char *at = error->text; *at; ++at)
        if (static_cast<unsigned char>(*at) < 32) *at = ' ';
    return status;
}

/// Runs `body`, which returns a cd_status; no exception leaves.
template <class Body> cd_status guarded(cd_error *error, Body body) noexcept {
    error->text[0] = 0;
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return fail(error, CD_NO_MEMORY, "not enough memory");
    } catch (const std::exception &exception) {
        return fail(error, CD_FAILED, exception.what());
    } catch (...) {
        return fail(error, CD_FAILED, "unknown exception");
    }
}

}  // namespace cdicom
