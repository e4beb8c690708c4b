"""The notebooks run from top to bottom, and are committed without outputs."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# What must hold after the last cell of a notebook; run as one more cell of it.
AFTERWARDS = {
    "anatomy_of_a_surface": """
assert result.chosen_order == 4
assert abs(total / result.fit.surface.rms_unweighted_um - 1) < 0.01 and 55 < total < 65
known = dict(zip([(t.n, t.l) for t in made.truth.terms], made.truth.coefficients_rad))
assert max(abs(c.phase_rad - known[c.n, c.l]) for c in result.fit.coefficients) < 0.005
assert of_term(looser, 2, 0).phase_rad_error > 10 * of_term(result, 2, 0).phase_rad_error
assert np.abs(phases[1] + parity * phases[0]).max() < 1e-4 < 0.5 < np.abs(phases[0]).max()
""",
    "archive_and_gravity": """
assert len(model.observations) == 17 and "scan07" not in model.observations
assert model.outlying == ("scan12",)
assert difference.std() < 8 and np.abs(difference).max() < 25 < 100 < np.abs(true_um @ seen).max()
assert not work.exists()
""",
    "first_fit": """
assert result.status == "ok" and result.fit.order == 5
assert np.abs(differences(result)).max() < 0.005 < np.abs(list(true_phase.values())).max()
assert abs(surface.rms_unweighted_um / 60 - 1) < 0.01
parity = [(-1) ** c.n for c in result.fit.coefficients]
phases = np.array([[c.phase_rad for c in fitted.fit.coefficients] for fitted in (result, twin)])
assert np.allclose(phases[1], -np.array(parity) * phases[0], atol=1e-4)
assert np.abs(differences(robust)).max() < 0.006 < np.abs(differences(believing)).max() / 3
assert again.fit.coefficients == result.fit.coefficients
""",
    "numpy_to_pytorch": """
assert np.abs(by_differences / exact - 1).max() < 1e-3
assert abs(found.fun / plain.fun - 1) < 1e-8 and found.nfev < plain.nfev / 3
assert np.abs((found.x - truth) / np.sqrt(np.diag(found.hess_inv))).max() < 4
assert abs(quick.fun / slow.fun - 1) < 1e-6 and abs(excess) < 1e-6
assert quick.nfev < slow.nfev / 5 and fitted.nfev < quick.nfev / 2
""",
    "robust_or_not": """
largest = {key: np.abs(errors(result)).max() for key, result in results.items()}
assert all(largest[fraction, "cauchy"] < 0.004 for fraction in fractions)
assert largest[0.0, "gaussian"] < 0.004 and all(largest[f, "gaussian"] > 0.015 for f in fractions[1:])
assert 1.2 < clean_ratio < 1.5
assert max(abs(phase) for phase in truth.values()) > 0.2
""",
}

# In a process of its own: the sockets and warnings of what carries a notebook to its kernel stay there.
RUN = """
import sys
import nbclient
import nbformat

path, folder, afterwards = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
nbformat.validate(notebook)
notebook.cells.append(nbformat.v4.new_code_cell(afterwards))
resources = {"metadata": {"path": folder}}
nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300, resources=resources).execute()
print(sum(bool(cell.get("execution_count")) for cell in notebook.cells), "cells")
"""


def code_cells(path):
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == sorted(AFTERWARDS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_has_no_outputs(path):
    cells = code_cells(path)
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path):
    for module in ("nbclient", "ipykernel"):
        if find_spec(module) is None:
            pytest.skip(f"{module}, of the extra 'test', is not installed")
    # The user's own Jupyter and IPython settings stay out, and the kernel finds this source tree.
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    python_path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, **{name: str(tmp_path / name) for name in own}, "PYTHONPATH": python_path}
    ended = subprocess.run(
        [sys.executable, "-c", RUN, str(path), str(path.parent), AFTERWARDS[path.stem]],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        env=environment,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stdout.split()[0] == str(len(code_cells(path)) + 1)
