/* What the C programs share: checks that name their line, texts, requests, and a reader of encoded values. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "secureapp.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UTF8(s) ((const uint8_t *)(s)), strlen(s)

/* Ends the program where `condition` does not hold. */
#define CHECK(condition) \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), exit(1)))

/* Ends the program, with the error's message, where a call did not give `wanted`. Frees the error. */
#define EXPECT(wanted, err, call) expect((wanted), (call), (err), __FILE__, __LINE__, #call)

/* An encoded value, borrowed. No data means that there is no such value. */
typedef struct {
    const uint8_t *data;
    size_t len;
} view;

void expect(sa_status wanted, sa_status got, sa_error **err, const char *file, int line, const char *call);

/* The value of `key` in a map, or no value. */
view map_get(view map, const char *key);
size_t count(view list_or_map);
bool is_text(view value, const char *wanted);
bool text_contains(view value, const char *wanted);
/* A copy that the caller frees; text and bytes alike. */
char *text_copy(view value, size_t *len);
int64_t int_of(view value);
bool is_true(view value);
bool bytes_contain(view bytes, const char *wanted);

sa_request *request(const char *kind);
void set_text(sa_request *request, const char *key, const char *value);
void set_secret(sa_request *request, const char *key, const char *value);
void set_int(sa_request *request, const char *key, int64_t value);
void add_text(sa_request *request, const char *key, const char *value);

/* The value of the program's argument `name=value`; ends the program where it is missing. */
const char *argument(int argc, char **argv, const char *name);

#endif
