#include "CSystem.h"

#include <errno.h>
#include <openssl/evp.h>

// A cs_digest is an EVP_MD_CTX under our own name, so that OpenSSL's headers end here.

cs_digest *cs_digest_create(void) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return (cs_digest *)context;
}

int cs_digest_update(cs_digest *digest, const void *bytes, size_t count) {
    return EVP_DigestUpdate((EVP_MD_CTX *)digest, bytes, count) == 1 ? 0 : -EIO;
}

int cs_digest_finish(cs_digest *digest, uint8_t out[32]) {
    return EVP_DigestFinal_ex((EVP_MD_CTX *)digest, out, NULL) == 1 ? 0 : -EIO;
}

void cs_digest_destroy(cs_digest *digest) { EVP_MD_CTX_free((EVP_MD_CTX *)digest); }
