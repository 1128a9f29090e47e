#!/bin/sh
# Runs a command with Rust, also where HOME is not the home that rustup was installed into (a service account, sudo, CI
# with an empty home): rustup's cargo then finds no toolchain, although its folder stands beside cargo's.
#
#   sh build/with-rust.sh cargo build
set -eu

if [ -z "${RUSTUP_HOME:-}" ] && ! cargo --version >/dev/null 2>&1; then
    bin=$(dirname -- "$(command -v cargo)")
    beside=$(CDPATH='' cd -- "$bin/../.." && pwd)/.rustup
    if [ -d "$beside" ]; then
        RUSTUP_HOME=$beside
        export RUSTUP_HOME
    fi
fi
exec "$@"
