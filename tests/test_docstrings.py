"""Public docstrings follow numpydoc: they exist, are well formed and name the arguments that there are."""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
from numpydoc.validate import Validator, validate

import oofpy

# What every public name must have: a docstring, its sections in order, a first line that is a sentence.
FORM = {"GL01", "GL02", "GL03", "GL06", "GL07", "GL08", "SS01", "SS03", "SS04"}
# What a docstring that lists parameters must keep: all of them, no others, in the order of the signature.
ARGUMENTS = {"PR01", "PR02", "PR03", "PR06", "PR10"}


def _modules() -> list[str]:
    found = pkgutil.walk_packages(oofpy.__path__, prefix="oofpy.")
    names = ["oofpy", *(module.name for module in found)]
    return [name for name in names if not any(part.startswith("_") for part in name.split("."))]


def _public_methods(owner: type) -> Iterator[str]:
    for name, member in vars(owner).items():
        if name in getattr(owner, "__dataclass_fields__", ()):
            continue  # its default, which may be a function
        function = getattr(member, "__func__", member)
        if not name.startswith("_") and (inspect.isfunction(function) or isinstance(member, property)):
            yield name


def _public_names(module_name: str) -> Iterator[str]:
    module = importlib.import_module(module_name)
    for name, member in vars(module).items():
        if name.startswith("_") or getattr(member, "__module__", None) != module_name:
            continue
        if inspect.isfunction(member):
            yield f"{module_name}.{name}"
        elif inspect.isclass(member):
            yield f"{module_name}.{name}"
            yield from (f"{module_name}.{name}.{method}" for method in _public_methods(member))


def _codes(name: str) -> set[str]:
    """Checks that apply to a name."""
    member = Validator._load_obj(name)
    if name.startswith("oofpy.cli"):  # the text is the command's help, its options carry their own
        return {"GL08"}
    if isinstance(member, property):
        return FORM
    if inspect.isclass(member) and (issubclass(member, enum.Enum) or "__init__" not in vars(member)):
        return FORM
    # Arguments that their names and types explain may go without a list; half a list is a fault.
    if "\nParameters\n---" not in (inspect.getdoc(member) or ""):
        return FORM
    return FORM | ARGUMENTS


@pytest.mark.parametrize("module_name", _modules())
def test_public_docstrings_are_valid(module_name):
    assert (importlib.import_module(module_name).__doc__ or "").strip(), f"{module_name} has no docstring"
    faults = [
        f"{name}: {code} {text}"
        for name in _public_names(module_name)
        for code, text in validate(name)["errors"]
        if code in _codes(name)
    ]
    assert not faults, "\n".join(faults)
