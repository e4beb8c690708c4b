# Sourced by demo.sh and test.sh: finds Python and prepares a virtual environment. Defines the functions
#   fail MESSAGE                         one line on standard error, then exit 1
#   prepare_environment DIRECTORY EXTRA  afterwards DIRECTORY holds oofpy and its EXTRA ("" for none);
#                                        one that is complete already is used as it is
#   environment_is_complete DIRECTORY EXTRA
#   ensure_browser, ensure_postgresql    afterwards this machine has a Chromium, a PostgreSQL, from Debian's packages
# and the variable `repository`.

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# The first Python of this machine that is new enough, or nothing.
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
}

# What an environment must have been made for to be complete: this place, these files, this extra.
# The place counts because an editable install and its commands hold absolute paths.
environment_stamp() {
    printf '%s [%s]\n' "$repository" "$1"
    cat "$repository/pyproject.toml" "$repository/scripts/constraints.txt" | cksum
}

install() { # MESSAGE PIP-ARGUMENTS...: pip speaks only when it fails
    local log="$environment/install.log"
    printf '%s\n' "$1 ..." >&2
    shift
    if ! "$environment/bin/python" -m pip --disable-pip-version-check install \
        --constraint "$repository/scripts/constraints.txt" "$@" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        fail "The installation into $environment failed; above are pip's last lines"
    fi
}

environment_is_complete() { # DIRECTORY EXTRA
    [ "$(cat "$1/oofpy-complete" 2>/dev/null)" = "$(environment_stamp "$2")" ] &&
        "$1/bin/python" -c '' 2>/dev/null
}

prepare_environment() {
    environment="$1"
    local extra="$2" stamp="$1/oofpy-complete" python
    if environment_is_complete "$environment" "$extra"; then
        return
    fi
    python="$(find_python)"
    [ -n "$python" ] || fail "oofpy needs Python 3.11 or newer, and there is none here" \
        "(python3: $(python3 --version 2>/dev/null || echo none)); install one and run this again"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module; install it (Debian, Ubuntu: apt-get install python3-venv) and run this again"
    printf '%s\n' "Preparing the virtual environment $environment ..." >&2
    rm -f "$stamp"
    "$python" -m venv "$environment" || fail "$python could not make the virtual environment $environment"
    # PyTorch goes first and by itself: its exact version decides which build, and how many megabytes, arrive.
    install "Installing PyTorch (the largest part)" torch
    install "Installing oofpy${extra:+ and what its tests need}" --editable "$repository${extra:+[$extra]}"
    environment_stamp "$extra" >"$stamp"
}

# For the tests of the report. Needs root where there is none yet.
ensure_browser() {
    local candidate
    for candidate in chromium chromium-browser google-chrome; do
        if command -v "$candidate" >/dev/null 2>&1; then
            return
        fi
    done
    install_package chromium "Chromium" "the report"
}

# For the tests of the catalogue, which start a server of their own. Needs root where there is none yet.
ensure_postgresql() {
    local candidate
    for candidate in /usr/lib/postgresql/*/bin/initdb "$(command -v initdb || true)"; do
        if [ -x "$candidate" ]; then
            return
        fi
    done
    install_package postgresql "PostgreSQL" "the catalogue"
}

install_package() { # PACKAGE NAME WHAT: from Debian's packages; apt-get speaks only when it fails
    local log
    command -v apt-get >/dev/null 2>&1 || fail "The tests of $3 need $2; install it and run this again"
    [ "$(id -u)" -eq 0 ] || fail "The tests of $3 need $2; run as root: apt-get install $1"
    printf '%s\n' "Installing $2 ..." >&2
    log="$(mktemp)"
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$1"; } \
        >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        fail "$2 could not be installed; above are apt-get's last lines"
    fi
    rm -f "$log"
}
