#!/bin/sh
# Makes `cargo build` work in this clone: with the public crate registry where it answers, otherwise with the crates
# that Debian ships as source packages. The answer is remembered in .crates/ until `build.ps1 Clean` removes it.
#
# Nothing is installed and nothing needs root: the package lists and the packages live in .crates/, are checked against
# the Debian archive keyring, and are only unpacked.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
state=$root/.crates
config=$root/.cargo/config.toml
suite=trixie

say() { printf 'crates: %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# --- the machine's own tools -------------------------------------------------------------------------------------
check_toolchain() {
    command -v cargo >/dev/null 2>&1 || fail "Rust is not installed: cargo was not found on PATH (https://rustup.rs)."
    cc=${CC:-cc}
    command -v "$cc" >/dev/null 2>&1 || fail "no C toolchain: '$cc' was not found; install one (Debian: apt-get install build-essential)."
    probe=$state/probe
    mkdir -p "$probe"
    printf '#include <openssl/opensslv.h>\n#if OPENSSL_VERSION_MAJOR < 3\n#error old\n#endif\nint main(void){return 0;}\n' >"$probe/openssl.c"
    # shellcheck disable=SC2086
    include=${OPENSSL_DIR:+-I$OPENSSL_DIR/include}
    [ -n "$include" ] || include=$(pkg-config --cflags openssl 2>/dev/null || true)
    # shellcheck disable=SC2086
    "$cc" $include -c "$probe/openssl.c" -o "$probe/openssl.o" 2>/dev/null ||
        fail "the OpenSSL 3 headers are missing: install them (Debian: apt-get install libssl-dev pkg-config) or set OPENSSL_DIR."
}

# --- the public registry -----------------------------------------------------------------------------------------
# `cargo info` asks the registry that this machine's own cargo configuration names, proxies and mirrors included.
registry_answers() {
    (cd "$state" && CARGO_NET_RETRY=0 CARGO_HTTP_TIMEOUT=3 timeout 3 cargo info once_cell >/dev/null 2>&1)
}

# --- Debian's source packages ------------------------------------------------------------------------------------
packages='
librust-base64-dev librust-bytes-dev librust-cbindgen-dev librust-criterion-dev librust-csv-dev librust-flate2-dev
librust-fs2-dev librust-futures-util-dev librust-http-body-util-dev librust-http-dev librust-httpdate-dev
librust-hyper-dev librust-hyper-util-dev librust-lexopt-dev librust-libc-dev librust-memchr-dev librust-once-cell-dev
librust-openssl-dev librust-proptest-dev librust-reqwest-dev librust-serde-dev librust-serde-json-dev
librust-tempfile-dev librust-time-dev librust-tokio-dev librust-tokio-openssl-dev librust-tokio-util-dev
librust-url-dev librust-zeroize-dev'

debian_mirror() {
    apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        grep -E '/debian/?$' | head -n 1
}

use_debian() {
    command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 ||
        fail "the crate registry does not answer and this is not a Debian-like machine; connect to the registry or set a cargo mirror."
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || fail "the crate registry does not answer and apt's configuration names no Debian archive."
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] || fail "the Debian archive keyring is missing ($keyring); install debian-archive-keyring."

    apt=$state/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/etc"
    : >"$apt/status"
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$apt/etc/sources.list"
    cat >"$apt/apt.conf" <<CONF
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
    APT_CONFIG=$apt/apt.conf
    export APT_CONFIG
    say "fetching the package lists of Debian $suite"
    apt-get -qq update || fail "Debian's package lists could not be fetched from $mirror."
    # The whole resolution also names compilers and libraries; only the crates' sources are wanted.
    # shellcheck disable=SC2086
    wanted=$(apt-get -qq -s install $packages 2>/dev/null | sed -n 's/^Inst \(librust-[^ ]*\) .*/\1/p')
    [ -n "$wanted" ] || fail "Debian $suite does not offer the crates that this project needs."
    say "fetching $(printf '%s\n' "$wanted" | wc -l) source packages"
    rm -rf "$state/deb" "$state/unpacked"
    mkdir -p "$state/deb" "$state/unpacked"
    # shellcheck disable=SC2086
    (cd "$state/deb" && apt-get -qq download $wanted) || fail "Debian's crate packages could not be fetched from $mirror."
    for package in "$state"/deb/*.deb; do
        dpkg -x "$package" "$state/unpacked"
    done
    rm -rf "$state/registry" "$state/deb"
    mv "$state/unpacked/usr/share/cargo/registry" "$state/registry"
    rm -rf "$state/unpacked" "$apt"

    mkdir -p "$root/.cargo"
    cat >"$config" <<CONF
# Generated by build/bootstrap.sh: the crate registry did not answer, so crates come from Debian $suite.
[source.crates-io]
replace-with = "debian"

[source.debian]
directory = "$state/registry"

[net]
offline = true
CONF
}

main() {
    mkdir -p "$state"
    if command -v flock >/dev/null 2>&1; then
        exec 9>"$state/lock"
        flock 9
    fi
    check_toolchain
    if [ -r "$state/source" ]; then
        say "$(cat "$state/source")"
        return
    fi
    rm -f "$config"
    if registry_answers; then
        answer='using the public registry'
    else
        say 'the public registry does not answer; using Debian'
        use_debian
        answer="using Debian $suite's source packages in .crates/registry"
    fi
    printf '%s\n' "$answer" >"$state/source"
    say "$answer"
}

main "$@"
