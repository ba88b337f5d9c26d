#include "CSystem.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

// A cs_digest is an EVP_MD_CTX under our own name, so that OpenSSL's headers end here.

cs_digest *cs_digest_create(void) {
    // A digest may still be made by another thread when the process exits: OpenSSL must not clear itself away before.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
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
