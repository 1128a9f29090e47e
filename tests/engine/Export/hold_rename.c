/* Loaded into an engine of its own (LD_PRELOAD) to hold an export where it gives a finished part its name. Waits are opens of
   FIFOs: each returns when the test has opened the other end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int held;

static void meet(const char *name, int mode)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("SECUREAPP_TEST_RENAME"), name);
    int end = open(path, mode);
    if (end >= 0)
        close(end);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    if (strstr(to, "/date=") != NULL && atomic_exchange(&held, 1) == 0) {
        meet("reached", O_WRONLY);
        meet("go", O_RDONLY);
    }
    int result = real(from, to);
    if (strstr(to, "/manifest.json") != NULL && atomic_load(&held))
        meet("written", O_WRONLY);
    return result;
}
