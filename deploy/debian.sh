# The Debian packages that ringfold needs, and how to get those that are missing. Sourced by
# deploy/quickstart.sh, tests/run.sh and tests/debian13.sh; the same names in Debian 12 and 13.
# The one who sources this sets `program`, the name that messages begin with.

# "a|b": either will do.
build_packages="gcc libc6-dev cmake ninja-build pkgconf|pkg-config librdkafka-dev librocksdb-dev libavro-dev
libfyaml-dev libjansson-dev libmicrohttpd-dev libcurl4-openssl-dev|libcurl4-gnutls-dev libxxhash-dev libpcre2-dev
libglib2.0-dev"
unit_test_packages="check python3 binutils mandoc zsh fish"

say() {
    printf '%s: %s\n' "$program" "$*" >&2
}

# fail STATUS MESSAGE...: the message, one line each, and out.
fail() {
    status=$1
    shift
    for line in "$@"; do
        say "$line"
    done
    exit "$status"
}

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# missing_packages WANTED...: the first name of each that is not there in any of its forms.
missing_packages() {
    for wanted in "$@"; do
        found=no
        for package in $(printf '%s' "$wanted" | tr '|' ' '); do
            if is_installed "$package"; then
                found=yes
            fi
        done
        if [ $found = no ]; then
            printf '%s ' "${wanted%%|*}"
        fi
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >&2
}

# install_missing WANTED...: 0 when everything is there at the end. Asks nothing.
install_missing() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "this is not Debian: packages are not looked after here, going on with what is installed"
        return 0
    fi
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        return 0
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        say "missing Debian packages, and neither root nor sudo to install them; as root:"
        say "    apt-get install $missing"
        return 1
    fi
    say "installing Debian packages: $missing"
    apt update || say "some package lists could not be refreshed, trying with those that are there"
    # shellcheck disable=SC2086 # a list of names
    apt install --no-install-recommends $missing && return 0
    say "apt-get could not install them; its own words are above"
    return 1
}
