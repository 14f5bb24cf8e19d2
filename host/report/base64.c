#include "report/base64.h"

#include <stdint.h>

void cc_text_add_base64(cc_text *text, const void *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = bytes;
    char chunk[1024];
    size_t used = 0;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t word = (uint32_t)from[i] << 16;
        if (i + 1 < n) word |= (uint32_t)from[i + 1] << 8;
        if (i + 2 < n) word |= from[i + 2];
        chunk[used++] = digits[word >> 18];
        chunk[used++] = digits[word >> 12 & 63];
        chunk[used++] = (char)(i + 1 < n ? digits[word >> 6 & 63] : '=');
        chunk[used++] = (char)(i + 2 < n ? digits[word & 63] : '=');
        if (used == sizeof chunk) {
            cc_text_add_bytes(text, chunk, used);
            used = 0;
        }
    }
    if (used) cc_text_add_bytes(text, chunk, used);
}
