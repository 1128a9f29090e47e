#!/bin/sh
# cargo, also where HOME is not the home that rustup was installed into (a service account, sudo, CI with an empty home):
# rustup's cargo then finds no toolchain, although its own folder stands beside the one that cargo was called from.
set -eu

if ! cargo --version >/dev/null 2>&1 && [ -z "${RUSTUP_HOME:-}" ]; then
    bin=$(dirname -- "$(command -v cargo)")
    beside=$(CDPATH='' cd -- "$bin/../.." && pwd)/.rustup
    if [ -d "$beside" ]; then
        RUSTUP_HOME=$beside
        export RUSTUP_HOME
    fi
fi
exec cargo "$@"
