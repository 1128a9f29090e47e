#include "support.h"

void expect(sa_status wanted, sa_status got, sa_error **err, const char *file, int line, const char *call)
{
    if (got != wanted) {
        fprintf(stderr, "%s:%d: %s gave %d instead of %d\n", file, line, call, (int)got, (int)wanted);
        view detail = {NULL, 0};
        if (err != NULL && *err != NULL && sa_error_detail(*err, &detail.data, &detail.len) == SA_STATUS_OK) {
            char *message = text_copy(map_get(detail, "message"), NULL);
            fprintf(stderr, "  %s\n", message);
            free(message);
        }
        exit(1);
    }
    if (err != NULL) {
        CHECK((*err != NULL) == (got < 0));
        sa_error_free(*err);
        *err = NULL;
    }
}

static uint32_t u32_at(view value, size_t at)
{
    CHECK(value.data != NULL && at + 4 <= value.len);
    const uint8_t *p = value.data + at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* How many bytes the value at the start of `rest` takes. */
static size_t extent(view rest)
{
    CHECK(rest.data != NULL && rest.len > 0);
    size_t at = 5;
    switch (rest.data[0]) {
    case SA_VALUE_TAG_NULL:
    case SA_VALUE_TAG_FALSE:
    case SA_VALUE_TAG_TRUE:
        return 1;
    case SA_VALUE_TAG_INT:
    case SA_VALUE_TAG_FLOAT:
    case SA_VALUE_TAG_TIME:
        CHECK(rest.len >= 9);
        return 9;
    case SA_VALUE_TAG_TEXT:
    case SA_VALUE_TAG_BYTES:
        at += u32_at(rest, 1);
        CHECK(at <= rest.len);
        return at;
    case SA_VALUE_TAG_LIST:
    case SA_VALUE_TAG_MAP:
        for (uint32_t left = u32_at(rest, 1); left > 0; left--) {
            if (rest.data[0] == SA_VALUE_TAG_MAP)
                at += 4 + u32_at(rest, at);
            CHECK(at < rest.len);
            at += extent((view){rest.data + at, rest.len - at});
        }
        return at;
    default:
        fprintf(stderr, "there is no value tag %d\n", rest.data[0]);
        exit(1);
    }
}

view map_get(view map, const char *key)
{
    CHECK(map.data != NULL && map.len > 0 && map.data[0] == SA_VALUE_TAG_MAP);
    size_t at = 5;
    for (uint32_t left = u32_at(map, 1); left > 0; left--) {
        size_t key_len = u32_at(map, at);
        const uint8_t *name = map.data + at + 4;
        at += 4 + key_len;
        view value = {map.data + at, map.len - at};
        value.len = extent(value);
        if (key_len == strlen(key) && memcmp(name, key, key_len) == 0)
            return value;
        at += value.len;
    }
    return (view){NULL, 0};
}

size_t count(view value)
{
    CHECK(value.data != NULL && (value.data[0] == SA_VALUE_TAG_LIST || value.data[0] == SA_VALUE_TAG_MAP));
    return u32_at(value, 1);
}

static view content(view value)
{
    CHECK(value.data != NULL && (value.data[0] == SA_VALUE_TAG_TEXT || value.data[0] == SA_VALUE_TAG_BYTES));
    return (view){value.data + 5, u32_at(value, 1)};
}

bool is_text(view value, const char *wanted)
{
    view text = content(value);
    return text.len == strlen(wanted) && memcmp(text.data, wanted, text.len) == 0;
}

bool text_contains(view value, const char *wanted)
{
    return bytes_contain(content(value), wanted);
}

char *text_copy(view value, size_t *len)
{
    view text = content(value);
    char *copy = malloc(text.len + 1);
    CHECK(copy != NULL);
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    if (len != NULL)
        *len = text.len;
    return copy;
}

int64_t int_of(view value)
{
    CHECK(value.data != NULL && value.len >= 9);
    CHECK(value.data[0] == SA_VALUE_TAG_INT || value.data[0] == SA_VALUE_TAG_TIME);
    uint64_t low = u32_at(value, 1);
    uint64_t high = u32_at(value, 5);
    return (int64_t)(high << 32 | low);
}

bool is_true(view value)
{
    return value.data != NULL && value.data[0] == SA_VALUE_TAG_TRUE;
}

bool bytes_contain(view bytes, const char *wanted)
{
    size_t len = strlen(wanted);
    for (size_t at = 0; at + len <= bytes.len; at++)
        if (memcmp(bytes.data + at, wanted, len) == 0)
            return true;
    return false;
}

sa_request *request(const char *kind)
{
    sa_error *err = NULL;
    sa_request *made = NULL;
    EXPECT(SA_STATUS_OK, &err, sa_request_new(UTF8(kind), &made, &err));
    CHECK(made != NULL);
    return made;
}

void set_text(sa_request *request, const char *key, const char *value)
{
    sa_error *err = NULL;
    EXPECT(SA_STATUS_OK, &err, sa_request_set_text(request, UTF8(key), UTF8(value), &err));
}

void set_secret(sa_request *request, const char *key, const char *value)
{
    sa_error *err = NULL;
    EXPECT(SA_STATUS_OK, &err, sa_request_set_secret(request, UTF8(key), UTF8(value), &err));
}

void set_int(sa_request *request, const char *key, int64_t value)
{
    sa_error *err = NULL;
    EXPECT(SA_STATUS_OK, &err, sa_request_set_int(request, UTF8(key), value, &err));
}

void add_text(sa_request *request, const char *key, const char *value)
{
    sa_error *err = NULL;
    EXPECT(SA_STATUS_OK, &err, sa_request_add_text(request, UTF8(key), UTF8(value), &err));
}

const char *argument(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);
    for (int at = 1; at < argc; at++)
        if (strncmp(argv[at], name, len) == 0 && argv[at][len] == '=')
            return argv[at] + len + 1;
    fprintf(stderr, "the argument %s=.. is missing; see tests/c_abi.rs for what this program needs\n", name);
    exit(2);
}
