/* A tour of the whole interface, and the place to look up how a call is used.
 *
 * Runs against a sandbox, whose facts come as arguments: login=, graph=, partnerCenter=, manage=, aadGraph=, outlook=
 * (addresses), certificate= (file), tenant= (the partner's), application=, secret=, refreshToken=, and customers= (tenant ids with
 * commas between). Prints one line per part and ends with 0, or says which check failed.
 */
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <pthread.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define FOREVER 120000u
#define RESOURCE "https://graph.microsoft.com"
#define NOBODY "00000000-0000-4000-8000-000000000000"
#define MOST_CUSTOMERS 64

static struct {
    const char *environment;
    const char *secret;
    const char *refresh_token;
    sa_session *session;
    sa_credential *credential;
    char *customers[MOST_CUSTOMERS];
    size_t customer_count;
} tour;

static sa_op *start_tokens(sa_session *session)
{
    sa_error *err = NULL;
    sa_op *op = NULL;
    sa_request *start = request("tokens");
    set_text(start, "environment", tour.environment);
    EXPECT(SA_STATUS_OK, &err, sa_request_set_credential(start, UTF8("credential"), tour.credential, &err));
    EXPECT(SA_STATUS_OK, &err, sa_op_start(session, start, &op, &err));
    CHECK(op != NULL);
    sa_request_free(start);
    return op;
}

static sa_request *token_item(int64_t item, const char *tenant)
{
    sa_request *made = request("token");
    set_int(made, "item", item);
    set_text(made, "tenant", tenant);
    set_text(made, "resource", RESOURCE);
    return made;
}

static sa_status next(sa_op *op, uint32_t *kind, view *value)
{
    return sa_op_next(op, FOREVER, kind, &value->data, &value->len, NULL);
}

/* The next record or failure; everything said in between is only looked at for secrets. */
static sa_status next_result(sa_op *op, uint32_t *kind, view *value)
{
    for (;;) {
        sa_status status = next(op, kind, value);
        if (status != SA_STATUS_OK || *kind == SA_EVENT_KIND_RECORD || *kind == SA_EVENT_KIND_FAILED)
            return status;
        CHECK(!bytes_contain(*value, tour.secret));
        CHECK(!bytes_contain(*value, tour.refresh_token));
    }
}

static void versions(void)
{
    view text = {NULL, 0};
    CHECK(sa_abi_version() == SA_ABI_VERSION);
    CHECK(sa_version(&text.data, &text.len) == SA_STATUS_OK);
    CHECK(text.len >= 5 && bytes_contain(text, "."));
}

static void errors(void)
{
    sa_error *err = NULL;
    sa_request *made = NULL;
    view detail = {NULL, 0};
    CHECK(sa_request_new((const uint8_t *)"\xff", 1, &made, &err) == SA_STATUS_INVALID_INPUT);
    CHECK(made == NULL && err != NULL);
    CHECK(sa_error_status(err) == SA_STATUS_INVALID_INPUT);
    CHECK(sa_error_detail(err, &detail.data, &detail.len) == SA_STATUS_OK);
    CHECK(is_text(map_get(detail, "kind"), "InvalidInput"));
    CHECK(text_contains(map_get(detail, "message"), "UTF-8"));
    CHECK(int_of(map_get(detail, "httpStatus")) == 0);
    sa_error_free(err);
    /* Nobody has to take an error. */
    CHECK(sa_request_new(NULL, 3, &made, NULL) == SA_STATUS_INVALID_INPUT);
    CHECK(sa_request_new(UTF8("x"), NULL, NULL) == SA_STATUS_INVALID_INPUT);
}

static void requests(void)
{
    sa_error *err = NULL;
    sa_request *made = request("");
    set_text(made, "text", "one");
    set_text(made, "text", "two");
    set_text(made, "", "");
    EXPECT(SA_STATUS_OK, &err, sa_request_set_text(made, UTF8("empty"), NULL, 0, &err));
    add_text(made, "list", "one");
    add_text(made, "list", "two");
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_request_add_text(made, UTF8("text"), UTF8("three"), &err));
    set_int(made, "int", INT64_MIN);
    set_secret(made, "secret", "hunter2");
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_request_set_credential(made, UTF8("credential"), NULL, &err));
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_request_set_signer(made, UTF8("signer"), NULL, &err));
    sa_request_free(made);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    char *text = malloc(65536);
    CHECK(text != NULL);
    size_t len = fread(text, 1, 65535, file);
    fclose(file);
    text[len] = 0;
    return text;
}

static void environments(int argc, char **argv)
{
    static const char *const hosts[][2] = {{"login", "loginHost"}, {"graph", "graphHost"},
        {"partnerCenter", "partnerCenterHost"}, {"manage", "manageHost"}, {"aadGraph", "aadGraphHost"},
        {"outlook", "outlookHost"}};
    sa_error *err = NULL;
    sa_value *value = NULL;
    view data = {NULL, 0};
    sa_request *add = request("environment.add");
    set_text(add, "name", tour.environment);
    for (size_t at = 0; at < sizeof hosts / sizeof *hosts; at++)
        set_text(add, hosts[at][1], argument(argc, argv, hosts[at][0]));
    char *certificate = read_file(argument(argc, argv, "certificate"));
    set_text(add, "caPem", certificate);
    free(certificate);
    EXPECT(SA_STATUS_OK, &err, sa_call(add, &value, &err));
    sa_value_free(value);
    sa_request_free(add);

    sa_request *get = request("environment.get");
    set_text(get, "name", tour.environment);
    EXPECT(SA_STATUS_OK, &err, sa_call(get, &value, &err));
    CHECK(sa_value_data(value, &data.data, &data.len) == SA_STATUS_OK);
    CHECK(is_text(map_get(data, "name"), tour.environment));
    CHECK(is_text(map_get(map_get(data, "endpoints"), "login"), argument(argc, argv, "login")));
    sa_value_free(value);
    set_text(get, "name", "nowhere");
    value = (sa_value *)1;
    CHECK(sa_call(get, &value, NULL) < 0);
    CHECK(value == NULL);
    sa_request_free(get);

    sa_request *unknown = request("no.such.call");
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_call(unknown, &value, &err));
    sa_request_free(unknown);

    sa_request *json = request("json.read");
    set_text(json, "text", "{\"list\":[1,true,\"x\"]}");
    EXPECT(SA_STATUS_OK, &err, sa_call(json, &value, &err));
    CHECK(sa_value_data(value, &data.data, &data.len) == SA_STATUS_OK);
    CHECK(count(map_get(data, "list")) == 3);
    sa_value_free(value);
    sa_request_free(json);
}

static void credentials(int argc, char **argv)
{
    sa_error *err = NULL;
    sa_value *value = NULL;
    view data = {NULL, 0};
    sa_request *made = request("credential");
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_credential_open(made, &tour.credential, &err));
    set_text(made, "applicationId", argument(argc, argv, "application"));
    set_text(made, "tenant", argument(argc, argv, "tenant"));
    set_secret(made, "secret", tour.secret);
    set_secret(made, "refreshToken", tour.refresh_token);
    EXPECT(SA_STATUS_OK, &err, sa_credential_open(made, &tour.credential, &err));
    sa_request_free(made);

    EXPECT(SA_STATUS_OK, &err, sa_credential_describe(tour.credential, &value, &err));
    CHECK(sa_value_data(value, &data.data, &data.len) == SA_STATUS_OK);
    CHECK(is_text(map_get(data, "applicationId"), argument(argc, argv, "application")));
    CHECK(is_true(map_get(data, "hasSecret")) && is_true(map_get(data, "hasRefreshToken")));
    CHECK(!bytes_contain(data, tour.secret));
    CHECK(!bytes_contain(data, tour.refresh_token));
    sa_value_free(value);
}

/* One token per customer and one failure; the operation's events name the item that they answer. */
static void tokens(void)
{
    sa_error *err = NULL;
    sa_op *op = start_tokens(tour.session);
    bool seen[MOST_CUSTOMERS + 1] = {false};
    view value = {NULL, 0};
    uint32_t kind = 0;
    char *token = NULL;
    for (size_t at = 0; at <= tour.customer_count; at++) {
        sa_request *item = token_item((int64_t)at, at < tour.customer_count ? tour.customers[at] : NOBODY);
        EXPECT(SA_STATUS_OK, &err, sa_op_submit(op, item, &err));
        sa_request_free(item);
    }
    EXPECT(SA_STATUS_OK, &err, sa_op_finish_input(op, &err));
    sa_status status;
    while ((status = next_result(op, &kind, &value)) == SA_STATUS_OK) {
        view about = kind == SA_EVENT_KIND_FAILED ? map_get(value, "target") : value;
        size_t item = (size_t)int_of(map_get(about, "item"));
        CHECK(item <= tour.customer_count && !seen[item]);
        seen[item] = true;
        CHECK((kind == SA_EVENT_KIND_FAILED) == (item == tour.customer_count));
        if (kind == SA_EVENT_KIND_FAILED) {
            CHECK(is_text(map_get(about, "tenant"), NOBODY));
            view error = map_get(value, "error");
            CHECK(is_text(map_get(error, "code"), "AADSTS90002"));
            CHECK(!is_text(map_get(error, "advice"), ""));
        } else {
            CHECK(is_text(map_get(value, "tenantId"), tour.customers[item]));
            CHECK(int_of(map_get(value, "expiresOn")) > 0);
            free(token);
            token = text_copy(map_get(value, "accessToken"), NULL);
        }
    }
    CHECK(status == SA_STATUS_DONE);
    for (size_t at = 0; at <= tour.customer_count; at++)
        CHECK(seen[at]);

    /* The end is final, and so is the input's. */
    CHECK(next(op, &kind, &value) == SA_STATUS_DONE);
    CHECK(value.data == NULL && value.len == 0 && kind == 0);
    EXPECT(SA_STATUS_OK, &err, sa_op_finish_input(op, &err));
    sa_request *late = token_item(0, tour.customers[0]);
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_op_submit(op, late, &err));
    sa_request_free(late);
    sa_op_free(op);

    sa_value *claims = NULL;
    sa_request *read = request("token.read");
    CHECK(token != NULL);
    set_secret(read, "token", token);
    free(token);
    EXPECT(SA_STATUS_OK, &err, sa_call(read, &claims, &err));
    CHECK(sa_value_data(claims, &value.data, &value.len) == SA_STATUS_OK);
    CHECK(is_text(map_get(map_get(value, "claims"), "aud"), RESOURCE));
    sa_value_free(claims);
    sa_request_free(read);
}

/* Whoever submits without reading is told to read; nothing is lost or taken twice. */
static void full_input(void)
{
    sa_error *err = NULL;
    sa_op *op = start_tokens(tour.session);
    int64_t submitted = 0, read = 0, sum = 0;
    view value = {NULL, 0};
    uint32_t kind = 0;
    sa_status status = SA_STATUS_OK;
    sa_request *item = token_item(0, tour.customers[0]);
    while (submitted < 100000) {
        set_int(item, "item", submitted);
        if ((status = sa_op_submit(op, item, &err)) != SA_STATUS_OK)
            break;
        submitted++;
    }
    EXPECT(SA_STATUS_WOULD_BLOCK, &err, status);
    while ((status = sa_op_submit(op, item, &err)) == SA_STATUS_WOULD_BLOCK) {
        CHECK(next_result(op, &kind, &value) == SA_STATUS_OK);
        CHECK(kind == SA_EVENT_KIND_RECORD);
        sum += int_of(map_get(value, "item"));
        read++;
    }
    EXPECT(SA_STATUS_OK, &err, status);
    submitted++;
    sa_request_free(item);
    EXPECT(SA_STATUS_OK, &err, sa_op_finish_input(op, &err));
    while ((status = next_result(op, &kind, &value)) == SA_STATUS_OK) {
        CHECK(kind == SA_EVENT_KIND_RECORD);
        sum += int_of(map_get(value, "item"));
        read++;
    }
    CHECK(status == SA_STATUS_DONE);
    CHECK(read == submitted && sum == submitted * (submitted - 1) / 2);
    sa_op_free(op);
}

static void *wait_for_end(void *argument)
{
    view value = {NULL, 0};
    uint32_t kind = 0;
    sa_status status;
    /* While start_reader looks, there can be two readers for a moment. */
    while ((status = next_result(argument, &kind, &value)) == SA_STATUS_INVALID_INPUT)
        ;
    return (void *)(intptr_t)status;
}

/* Starts a thread that waits in sa_op_next, and returns once it does: a second reader is then turned away. */
static pthread_t start_reader(sa_op *op)
{
    pthread_t reader;
    view value = {NULL, 0};
    uint32_t kind = 0;
    CHECK(pthread_create(&reader, NULL, wait_for_end, op) == 0);
    /* The pause lets the other thread in: two that only try can shut each other out for ever. */
    while (sa_op_next(op, 0, &kind, &value.data, &value.len, NULL) == SA_STATUS_TIMED_OUT)
        thrd_sleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return reader;
}

static sa_status join(pthread_t thread)
{
    void *status = NULL;
    CHECK(pthread_join(thread, &status) == 0);
    return (sa_status)(intptr_t)status;
}

static void cancelling(void)
{
    sa_error *err = NULL;
    view value = {NULL, 0};
    uint32_t kind = 0;
    sa_op *op = start_tokens(tour.session);
    CHECK(sa_op_next(op, 0, &kind, &value.data, &value.len, NULL) == SA_STATUS_TIMED_OUT);
    CHECK(sa_op_next(op, 1, &kind, &value.data, &value.len, NULL) == SA_STATUS_TIMED_OUT);
    pthread_t reader = start_reader(op);
    CHECK(sa_op_cancel(op) == SA_STATUS_OK);
    CHECK(join(reader) == SA_STATUS_CANCELLED);
    CHECK(sa_op_cancel(op) == SA_STATUS_OK);
    EXPECT(SA_STATUS_CANCELLED, &err, sa_op_next(op, 0, &kind, &value.data, &value.len, &err));
    sa_request *item = token_item(0, tour.customers[0]);
    EXPECT(SA_STATUS_CANCELLED, &err, sa_op_submit(op, item, &err));
    sa_request_free(item);
    sa_op_free(op);

    /* Freed while it runs, and while another thread waits for it. */
    sa_op_free(start_tokens(tour.session));
    op = start_tokens(tour.session);
    reader = start_reader(op);
    sa_op_free(op);
    CHECK(join(reader) == SA_STATUS_CANCELLED);

    /* A session's cancel ends its operations, also later ones, and no others. */
    sa_session *other = NULL;
    EXPECT(SA_STATUS_OK, &err, sa_session_open(&other, &err));
    sa_op *mine = start_tokens(tour.session);
    op = start_tokens(other);
    EXPECT(SA_STATUS_OK, &err, sa_session_cancel(other, &err));
    CHECK(next(op, &kind, &value) == SA_STATUS_CANCELLED);
    CHECK(sa_op_next(mine, 0, &kind, &value.data, &value.len, NULL) == SA_STATUS_TIMED_OUT);
    sa_op_free(op);
    op = start_tokens(other);
    sa_session_free(other);
    CHECK(next(op, &kind, &value) == SA_STATUS_CANCELLED);
    sa_op_free(op);
    EXPECT(SA_STATUS_OK, &err, sa_op_finish_input(mine, &err));
    CHECK(next_result(mine, &kind, &value) == SA_STATUS_DONE);
    sa_op_free(mine);
}

static void *tokens_again(void *argument)
{
    (void)argument;
    sa_error *err = NULL;
    view value = {NULL, 0};
    uint32_t kind = 0;
    size_t records = 0;
    sa_op *op = start_tokens(tour.session);
    for (size_t at = 0; at < tour.customer_count; at++) {
        sa_request *item = token_item((int64_t)at, tour.customers[at]);
        EXPECT(SA_STATUS_OK, &err, sa_op_submit(op, item, &err));
        sa_request_free(item);
        CHECK(next_result(op, &kind, &value) == SA_STATUS_OK && kind == SA_EVENT_KIND_RECORD);
        records++;
    }
    EXPECT(SA_STATUS_OK, &err, sa_op_finish_input(op, &err));
    CHECK(next_result(op, &kind, &value) == SA_STATUS_DONE);
    sa_op_free(op);
    return (void *)(intptr_t)(records == tour.customer_count ? SA_STATUS_OK : SA_STATUS_INTERNAL);
}

static void many_threads(void)
{
    pthread_t threads[4];
    for (size_t at = 0; at < 4; at++)
        CHECK(pthread_create(&threads[at], NULL, tokens_again, NULL) == 0);
    for (size_t at = 0; at < 4; at++)
        CHECK(join(threads[at]) == SA_STATUS_OK);
}

/* Serves a signer until it is freed: signs by writing the data backwards, refuses "no" and declines "other". */
static void *serve(void *argument)
{
    sa_signer *signer = argument;
    sa_error *err = NULL;
    for (;;) {
        uint64_t id = 0;
        view algorithm = {NULL, 0}, data = {NULL, 0};
        sa_status status = sa_signer_next(
            signer, FOREVER, &id, &algorithm.data, &algorithm.len, &data.data, &data.len, NULL);
        if (status == SA_STATUS_INVALID_INPUT)
            continue; /* while the main thread looks whether this one waits */
        if (status != SA_STATUS_OK)
            return (void *)(intptr_t)status;
        CHECK(algorithm.len == 5 && memcmp(algorithm.data, "PS256", 5) == 0);
        if (bytes_contain(data, "quit"))
            return (void *)(intptr_t)SA_STATUS_DONE;
        if (bytes_contain(data, "no")) {
            EXPECT(SA_STATUS_OK, &err, sa_signer_fail(signer, id, UTF8("the card was pulled out"), &err));
            continue;
        }
        if (bytes_contain(data, "other")) {
            EXPECT(SA_STATUS_OK, &err, sa_signer_decline(signer, id, &err));
            continue;
        }
        uint8_t signature[64];
        CHECK(data.len <= sizeof signature);
        for (size_t at = 0; at < data.len; at++)
            signature[at] = data.data[data.len - 1 - at];
        EXPECT(SA_STATUS_OK, &err, sa_signer_reply(signer, id, signature, data.len, &err));
        /* A second answer comes too late and changes nothing. */
        EXPECT(SA_STATUS_OK, &err, sa_signer_reply(signer, id, UTF8("late"), &err));
    }
}

static sa_op *start_sign(sa_signer *signer, const char *data)
{
    sa_error *err = NULL;
    sa_op *op = NULL;
    sa_request *start = request("signer.sign");
    EXPECT(SA_STATUS_OK, &err, sa_request_set_signer(start, UTF8("signer"), signer, &err));
    set_text(start, "algorithm", "PS256");
    set_text(start, "data", data);
    EXPECT(SA_STATUS_OK, &err, sa_op_start(tour.session, start, &op, &err));
    sa_request_free(start);
    return op;
}

static void signers(void)
{
    sa_error *err = NULL;
    sa_signer *signer = NULL;
    view value = {NULL, 0}, other = {NULL, 0};
    uint32_t kind = 0;
    uint64_t id = 7;
    pthread_t server;
    size_t len = 0;
    EXPECT(SA_STATUS_OK, &err, sa_signer_open(&signer, &err));
    EXPECT(SA_STATUS_TIMED_OUT, &err,
        sa_signer_next(signer, 0, &id, &other.data, &other.len, &value.data, &value.len, &err));
    CHECK(id == 0 && value.data == NULL);
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_signer_reply(signer, 1, NULL, 0, &err));
    CHECK(pthread_create(&server, NULL, serve, signer) == 0);

    sa_op *op = start_sign(signer, "draw");
    CHECK(next_result(op, &kind, &value) == SA_STATUS_OK && kind == SA_EVENT_KIND_RECORD);
    char *signature = text_copy(map_get(value, "signature"), &len);
    CHECK(len == 4 && memcmp(signature, "ward", 4) == 0);
    free(signature);
    CHECK(next(op, &kind, &value) == SA_STATUS_DONE);
    sa_op_free(op);

    op = start_sign(signer, "no");
    CHECK(sa_op_next(op, FOREVER, &kind, &value.data, &value.len, &err) == SA_STATUS_NOT_SIGNED_IN);
    CHECK(sa_error_detail(err, &value.data, &value.len) == SA_STATUS_OK);
    CHECK(text_contains(map_get(value, "message"), "the card was pulled out"));
    sa_error_free(err);
    sa_op_free(op);

    op = start_sign(signer, "other");
    CHECK(sa_op_next(op, FOREVER, &kind, &value.data, &value.len, &err) == SA_STATUS_NOT_SIGNED_IN);
    CHECK(sa_error_detail(err, &value.data, &value.len) == SA_STATUS_OK);
    CHECK(text_contains(map_get(value, "id"), "AlgorithmDeclined"));
    sa_error_free(err);
    sa_op_free(op);

    /* The owner goes away while something waits to be signed, and while its thread waits for work. */
    op = start_sign(signer, "quit");
    CHECK(join(server) == SA_STATUS_DONE);
    CHECK(pthread_create(&server, NULL, serve, signer) == 0);
    while (sa_signer_next(signer, 0, &id, &other.data, &other.len, &value.data, &value.len, NULL) == SA_STATUS_TIMED_OUT)
        ;
    sa_signer_free(signer);
    CHECK(join(server) == SA_STATUS_NOT_SIGNED_IN);
    CHECK(next(op, &kind, &value) == SA_STATUS_NOT_SIGNED_IN);
    sa_op_free(op);
}

/* Threads do not survive a fork, so a child is refused instead of being left to wait for them. */
static void forking(void)
{
    sa_session *session = NULL;
    view value = {NULL, 0};
    uint32_t kind = 0;
    int how = 0;
    sa_op *op = start_tokens(tour.session);
    pid_t child = fork();
    if (child == 0) {
        bool refused = sa_session_open(&session, NULL) == SA_STATUS_INVALID_INPUT
            && sa_op_next(op, 0, &kind, &value.data, &value.len, NULL) == SA_STATUS_INVALID_INPUT
            && sa_shutdown(FOREVER) == SA_STATUS_OK;
        /* Another program says how it went: a leak check must not look at a child without its parent's threads. */
        const char *answer = refused ? "true" : "false";
        execlp(answer, answer, (char *)NULL);
        _exit(127);
    }
    CHECK(child > 0 && waitpid(child, &how, 0) == child);
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    sa_op_free(op);
}

/* A user is told what to do; what they have done would be a credential, which an operation gives as a handle. */
static void signing_in(void)
{
    sa_error *err = NULL;
    sa_op *op = NULL;
    sa_credential *made = (sa_credential *)1;
    view value = {NULL, 0};
    uint32_t kind = 0;
    sa_request *start = request("sign_in");
    set_text(start, "environment", tour.environment);
    set_int(start, "deviceCode", 1);
    EXPECT(SA_STATUS_OK, &err, sa_request_set_credential(start, UTF8("credential"), tour.credential, &err));
    EXPECT(SA_STATUS_OK, &err, sa_op_start(tour.session, start, &op, &err));
    sa_request_free(start);
    CHECK(next(op, &kind, &value) == SA_STATUS_OK && kind == SA_EVENT_KIND_PROMPT);
    CHECK(is_text(map_get(value, "kind"), "device"));
    char *code = text_copy(map_get(value, "userCode"), NULL);
    CHECK(*code != 0 && text_contains(map_get(value, "message"), code));
    free(code);
    CHECK(!bytes_contain(value, tour.secret));
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_op_credential(op, &made, &err));
    CHECK(made == NULL);
    CHECK(sa_op_cancel(op) == SA_STATUS_OK);
    CHECK(next(op, &kind, &value) == SA_STATUS_CANCELLED);
    sa_op_free(op);
}

static void nothing_to_free(void)
{
    sa_error_free(NULL);
    sa_session_free(NULL);
    sa_request_free(NULL);
    sa_credential_free(NULL);
    sa_value_free(NULL);
    sa_op_free(NULL);
    sa_signer_free(NULL);
}

/* The end: who waits is told, what is left can be freed, and nothing can be started any more. */
static void shutting_down(void)
{
    sa_error *err = NULL;
    view value = {NULL, 0};
    uint32_t kind = 0;
    sa_session *late = NULL;
    sa_op *waiting = start_tokens(tour.session);
    sa_op *running = start_tokens(tour.session);
    pthread_t reader = start_reader(waiting);
    CHECK(sa_shutdown(10000) == SA_STATUS_OK);
    CHECK(join(reader) == SA_STATUS_CANCELLED);
    CHECK(next(running, &kind, &value) == SA_STATUS_CANCELLED);
    CHECK(next(waiting, &kind, &value) == SA_STATUS_CANCELLED);
    EXPECT(SA_STATUS_INVALID_INPUT, &err, sa_session_open(&late, &err));
    CHECK(sa_shutdown(0) == SA_STATUS_OK);
    sa_op_free(waiting);
    sa_op_free(running);
    sa_credential_free(tour.credential);
    sa_session_free(tour.session);
}

int main(int argc, char **argv)
{
    sa_error *err = NULL;
    tour.environment = "Tour";
    tour.secret = argument(argc, argv, "secret");
    tour.refresh_token = argument(argc, argv, "refreshToken");
    char customers[MOST_CUSTOMERS * 40];
    snprintf(customers, sizeof customers, "%s", argument(argc, argv, "customers"));
    for (char *id = strtok(customers, ","); id != NULL && tour.customer_count < MOST_CUSTOMERS; id = strtok(NULL, ","))
        tour.customers[tour.customer_count++] = id;
    CHECK(tour.customer_count > 0);

    /* Where it stops is of interest when it stops; a forked child must not print it twice. */
    setvbuf(stdout, NULL, _IONBF, 0);
    puts("versions"), versions();
    puts("errors"), errors();
    puts("requests"), requests();
    EXPECT(SA_STATUS_OK, &err, sa_session_open(&tour.session, &err));
    puts("environments"), environments(argc, argv);
    puts("credentials"), credentials(argc, argv);
    puts("tokens"), tokens();
    puts("full input"), full_input();
    puts("many threads"), many_threads();
    puts("cancelling"), cancelling();
    puts("signers"), signers();
    puts("signing in"), signing_in();
    puts("forking"), forking();
    puts("nothing to free"), nothing_to_free();
    puts("shutting down"), shutting_down();
    return 0;
}
