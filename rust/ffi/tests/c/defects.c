/* Calls the defects of a `test-hooks` build: a panic must come back as a status, and an over-read must end the process with
 * the sanitizer's report. Arguments: `panic`, `panic-in-operation` or `over-read`.
 */
#include "support.h"

/* These are not in the header: no build that is shipped has them. */
sa_status sa_test_panic(sa_error **err);
uint8_t sa_test_over_read(size_t size);

static void panic_in_call(void)
{
    sa_error *err = NULL;
    view detail = {NULL, 0};
    CHECK(sa_test_panic(&err) == SA_STATUS_INTERNAL);
    CHECK(sa_error_detail(err, &detail.data, &detail.len) == SA_STATUS_OK);
    CHECK(text_contains(map_get(detail, "message"), "test_hooks.rs:"));
    sa_error_free(err);
    CHECK(sa_test_panic(NULL) == SA_STATUS_INTERNAL);
}

static void panic_in_operation(void)
{
    sa_error *err = NULL;
    sa_session *session = NULL;
    sa_op *op = NULL;
    view data = {NULL, 0};
    uint32_t kind = 0;
    EXPECT(SA_STATUS_OK, &err, sa_session_open(&session, &err));
    sa_request *start = request("test.panic");
    EXPECT(SA_STATUS_OK, &err, sa_op_start(session, start, &op, &err));
    sa_request_free(start);
    EXPECT(SA_STATUS_OK, &err, sa_op_next(op, 60000, &kind, &data.data, &data.len, &err));
    CHECK(kind == SA_EVENT_KIND_WARNING && is_text(data, "before"));
    EXPECT(SA_STATUS_INTERNAL, &err, sa_op_next(op, 60000, &kind, &data.data, &data.len, &err));
    EXPECT(SA_STATUS_INTERNAL, &err, sa_op_next(op, 60000, &kind, &data.data, &data.len, &err));
    sa_op_free(op);
    sa_session_free(session);
    CHECK(sa_shutdown(10000) == SA_STATUS_OK);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (strcmp(argv[1], "panic") == 0)
        panic_in_call();
    else if (strcmp(argv[1], "panic-in-operation") == 0)
        panic_in_operation();
    else
        printf("read %d\n", sa_test_over_read(40));
    return 0;
}
