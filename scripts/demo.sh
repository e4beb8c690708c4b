#!/usr/bin/env bash
# From a fresh clone to a fitted surface: makes .venv, installs oofpy there, fits the sample observation.
# Needs Python 3.11 or newer. Run it again and it goes straight to the fit.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

sample="data/jcmt_270GHz.fits"
telescope="jcmt"
results="oofpy-results"

# The environment of the tests holds all that the demonstration needs.
environment_is_complete "$repository/.venv" test || prepare_environment "$repository/.venv" ""

cd "$repository"
printf '%s\n' "Fitting $sample ..." >&2
.venv/bin/oofpy fit "$sample" --telescope "$telescope" --out "$results" --overwrite

name="$(basename "$sample" .fits)"
cat <<END

The results lie in $repository/$results/$name
Fit your own maps:  $repository/.venv/bin/oofpy fit FILE... --telescope NAME
What it can do:     $repository/.venv/bin/oofpy --help
END
