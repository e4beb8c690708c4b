#!/usr/bin/env bash
# Every check of the project: style, types, import directions, tests. Stops at the first that fails.
# Arguments go to pytest: bash scripts/test.sh tests/optics -x
# Uses .venv; with CI=true an environment made afresh, so that a missing install step shows, and a browser and a
# PostgreSQL server, which are installed where there is none. Without them the tests of the report in a browser and of
# the catalogue on a server are skipped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

directory="$repository/.venv"
if [ "${CI:-}" = true ]; then
    temporary="$(mktemp -d)"
    trap 'rm -rf "$temporary"' EXIT
    directory="$temporary/venv"
fi
prepare_environment "$directory" test
if [ "${CI:-}" = true ]; then
    ensure_browser
    ensure_postgresql
fi

cd "$repository"
python="$directory/bin/python"
check() { # NAME COMMAND...
    printf '%s\n' "== $1"
    shift
    "$@"
}
check "ruff check" "$python" -m ruff check .
check "ruff format" "$python" -m ruff format --check .
check "mypy" "$python" -m mypy
check "import-linter" "$directory/bin/lint-imports" --no-logo
printf '%s\n' "Screenshots and prints of the report go to ${OOFPY_TEST_OUTPUT:-$repository/test-output}"
check "pytest" "$python" -m pytest -q "$@"
