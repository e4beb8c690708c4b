"""What `import oofpy` gives, and what it does not load."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import oofpy

HEAVY = ("torch", "matplotlib", "astropy", "scipy")


def loaded_by(code):
    """Names of the modules that are loaded after some code ran in a fresh interpreter."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\nMODULES', *sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(oofpy.__file__).parents[1])},
    )
    return set(ended.stdout.rpartition("MODULES ")[2].split())


def test_every_public_name_resolves():
    for name in oofpy.__all__:
        assert getattr(oofpy, name) is not None
    assert {*oofpy.__all__} <= {*dir(oofpy)}
    assert oofpy.fit.__name__ == "fit_observation"
    with pytest.raises(AttributeError, match="has no attribute 'fits'"):
        oofpy.fits  # noqa: B018


def test_types_and_lazy_names_agree():
    """What type checkers read is what is imported."""
    import ast

    tree = ast.parse(Path(oofpy.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    told = {
        alias.asname: (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == oofpy._HOMES
    assert {*told, "__version__"} == {*oofpy.__all__}


def test_no_module_bears_the_name_of_a_public_name():
    modules = {module.name for module in pkgutil.iter_modules(oofpy.__path__)}
    assert "fitting" in modules
    assert not modules & {*oofpy.__all__}


def test_public_functions_survive_the_import_of_every_module():
    before = {name: getattr(oofpy, name) for name in oofpy.__all__}
    for module in pkgutil.walk_packages(oofpy.__path__, prefix="oofpy."):
        if not module.name.endswith("__main__"):
            __import__(module.name)
    assert {name: getattr(oofpy, name) for name in oofpy.__all__} == before


@pytest.mark.parametrize(
    "code",
    [
        "import oofpy",
        "import oofpy.cli",
        "import oofpy.cli as c\nc.main(['--help'])\nc.main(['fit', '--help'])",
        "import oofpy.cli as c\nc.main(['--version'])\nc.main(['fit', 'x', '--order', '99'])",
    ],
)
def test_heavy_libraries_wait_until_they_are_needed(code):
    found = loaded_by(code)
    assert "oofpy" in found
    assert not found & {*HEAVY}


def test_reading_loads_neither_torch_nor_matplotlib():
    found = loaded_by("import oofpy\noofpy.read_observation, oofpy.load_telescope, oofpy.FitResult")
    assert "oofpy.io" in found
    assert not found & {"torch", "matplotlib"}
