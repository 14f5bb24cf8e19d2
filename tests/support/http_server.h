/* A web server of its own process, on this machine, that answers well or badly as the address asks. */
#ifndef TESTS_SUPPORT_HTTP_SERVER_H
#define TESTS_SUPPORT_HTTP_SERVER_H

#include <sys/types.h>

/* http://127.0.0.1:PORT/HOW/FILE is FILE of the served folder, sent
 *   good      as asked for, from the middle on, too
 *   whole     from its start whatever was asked for, as servers do that know no ranges
 *   cut       as asked for, but the connection ends after half of it
 *   wrong     with its last byte changed
 *   short     with its last byte missing
 *   long      with a byte more, and without its size being said
 *   slow      in pieces, for about two seconds
 *   moved     by a redirection to good
 * Anything else is 404. Requests are written to the file `log`, "HOW/FILE FIRST\n" each, FIRST being the first byte asked for. */
typedef struct http_server {
    pid_t process;
    int port;
} http_server;

/* Fails the running test where that cannot be. */
http_server http_server_start(const char *folder, const char *log);
void http_server_stop(http_server *server);

#endif
