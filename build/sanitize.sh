#!/bin/sh
# Builds the library and its C programs for the address sanitizer and runs them: two planted panics that must come back as
# statuses, a planted over-read that must be reported, and, where the arguments of tests/c/tour.c are given, the tour.
# `cargo test -p secureapp-ffi --test c_abi` calls it with them.
#
# The instrumentation of Rust code comes from rustc, the runtime from gcc: machines often have no runtime for clang.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
say() { printf 'sanitize: %s\n' "$*"; }
fail() { say "error: $*" >&2; exit 1; }

target=$(rustc -vV | sed -n 's/^host: //p')
case $target in
    x86_64-unknown-linux-gnu | aarch64-unknown-linux-gnu) ;;
    *) say "skipped: the address sanitizer is set up for Linux with glibc, not for $target"; exit 0 ;;
esac

out=$root/target/asan
mkdir -p "$out"
cc=${CC:-gcc}
flags='-std=c11 -Wall -Wextra -Werror -g -pthread -fsanitize=address,undefined -fno-sanitize-recover=undefined'
printf 'int main(void) { return 0; }\n' >"$out/probe.c"
# shellcheck disable=SC2086
if ! "$cc" $flags -o "$out/probe" "$out/probe.c" 2>"$out/probe.log"; then
    say "skipped: $cc cannot link with -fsanitize=address (install libasan; see target/asan/probe.log)"
    exit 0
fi

# RUSTC_BOOTSTRAP lets a stable compiler take the option. An explicit target keeps it from build scripts and macros.
say "building the library"
(
    cd "$root"
    unset CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER || true
    RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=address -Cdebuginfo=1' CARGO_INCREMENTAL=0 \
        cargo build --quiet -p secureapp-ffi --lib --features test-hooks --target "$target" --target-dir "$out"
) || fail "the library could not be built for the sanitizer"
library=$out/$target/debug/libsecureapp.so
nm -D "$library" | grep -q __asan_init || fail "the library is not instrumented"

for program in tour defects; do
    # shellcheck disable=SC2086
    "$cc" $flags -I "$root/rust/ffi/include" -o "$out/$program" \
        "$root/rust/ffi/tests/c/$program.c" "$root/rust/ffi/tests/c/support.c" "$library" "-Wl,-rpath,${library%/*}" ||
        fail "$program.c could not be compiled"
done

for case in panic panic-in-operation; do
    "$out/defects" "$case" 2>"$out/$case.log" || { cat "$out/$case.log" >&2; fail "the planted $case did not come back as a status"; }
    [ ! -s "$out/$case.log" ] || { cat "$out/$case.log" >&2; fail "the planted $case was not silent"; }
    say "$case: came back as a status"
done

if "$out/defects" over-read >"$out/over-read.log" 2>&1; then
    fail "the planted over-read was not noticed"
fi
grep -q 'AddressSanitizer: heap-buffer-overflow' "$out/over-read.log" && grep -q sa_test_over_read "$out/over-read.log" ||
    { cat "$out/over-read.log" >&2; fail "the planted over-read was not reported as one"; }
say "over-read: reported"

if [ $# -gt 0 ]; then
    "$out/tour" "$@" >"$out/tour.log" 2>&1 || { cat "$out/tour.log" >&2; fail "the tour is not clean"; }
    say "tour: clean"
else
    say "tour: skipped, it needs a sandbox; run: cargo test -p secureapp-ffi --test c_abi"
fi
