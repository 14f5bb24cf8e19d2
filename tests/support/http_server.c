#include "support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/program.h"
#include "support/scratch.h"

enum { LIFETIME_SECONDS = 600 };

typedef struct request {
    char how[16], file[256];
    size_t first;
} request;

static bool read_request(int client, request *r)
{
    char text[4096];
    size_t length = 0;
    while (length < sizeof text - 1) {
        const ssize_t got = read(client, text + length, sizeof text - 1 - length);
        if (got <= 0) return false;
        length += (size_t)got;
        text[length] = '\0';
        if (strstr(text, "\r\n\r\n")) break;
    }
    const char *range = strstr(text, "Range: bytes=");
    r->first = range ? strtoul(range + strlen("Range: bytes="), NULL, 10) : 0;
    return sscanf(text, "GET /%15[a-z]/%255[-a-z0-9/.]", r->how, r->file) == 2;
}

static bool send_all(int client, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t sent = write(client, data, size);
        if (sent <= 0) return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void send_text(int client, const char *text) { (void)send_all(client, text, strlen(text)); }

static void send_slowly(int client, const char *data, size_t size)
{
    enum { PIECES = 20 };
    for (size_t i = 0; i < PIECES; i++) {
        const size_t begin = size * i / PIECES, end = size * (i + 1) / PIECES;
        if (!send_all(client, data + begin, end - begin)) return;
        sleep_milliseconds(100);
    }
}

/* `data` has room for a byte more. */
static void send_file(int client, const request *r, char *data, size_t size)
{
    char head[256];
    const bool shorter = strcmp(r->how, "short") == 0, longer = strcmp(r->how, "long") == 0;
    const size_t first = strcmp(r->how, "whole") == 0 || longer ? 0 : r->first, end = shorter ? size - 1 : longer ? size + 1 : size;
    if (first >= end) {
        send_text(client, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    }
    if (strcmp(r->how, "wrong") == 0) data[size - 1] ^= 1;
    int used = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nConnection: close\r\n", first ? "206 Partial Content" : "200 OK");
    if (first) used += snprintf(head + used, sizeof head - (size_t)used, "Content-Range: bytes %zu-%zu/%zu\r\n", first, end - 1, end);
    if (!longer) used += snprintf(head + used, sizeof head - (size_t)used, "Content-Length: %zu\r\n", end - first);
    snprintf(head + used, sizeof head - (size_t)used, "\r\n");
    send_text(client, head);
    if (strcmp(r->how, "slow") == 0)
        send_slowly(client, data + first, end - first);
    else
        (void)send_all(client, data + first, strcmp(r->how, "cut") == 0 ? (end - first) / 2 : end - first);
}

static void answer(int client, const char *folder, const char *log)
{
    static const char *const ways[] = { "good", "whole", "cut", "wrong", "short", "long", "slow" };
    request r;
    size_t size = 0;
    bool known = false;
    if (!read_request(client, &r)) return;
    FILE *lines = fopen(log, "a");
    if (lines) {
        fprintf(lines, "%s/%s %zu\n", r.how, r.file, r.first);
        fclose(lines);
    }
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        known = known || strcmp(ways[i], r.how) == 0;
    char *data = known ? scratch_read(scratch_path(folder, r.file), &size) : NULL;
    if (data) {
        send_file(client, &r, data, size);
    } else if (strcmp(r.how, "moved") == 0) {
        char text[512];
        snprintf(text, sizeof text, "HTTP/1.1 302 Found\r\nLocation: /good/%s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", r.file);
        send_text(client, text);
    } else {
        send_text(client, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    free(data);
}

http_server http_server_start(const char *folder, const char *log)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    http_server server = { .process = fork(), .port = ntohs(address.sin_port) };
    assert_true(server.process >= 0);
    if (server.process > 0) {
        close(listener);
        return server;
    }
    signal(SIGPIPE, SIG_IGN);
    alarm(LIFETIME_SECONDS); /* where nobody is left to stop it */
    for (;;) {
        const int client = accept(listener, NULL, NULL);
        if (client < 0) _exit(1);
        answer(client, folder, log);
        close(client);
    }
}

void http_server_stop(http_server *server)
{
    kill(server->process, SIGKILL);
    waitpid(server->process, NULL, 0);
}
