"""Telescopes as data: geometry, illumination, blockage and sign conventions from TOML files.

`entries` and `schema` describe the file, `checks` its ranges, `model` and `path_tables` the frozen objects in SI units
that the numerics use; `path_maps` reads the FITS files that a telescope refers to, and `loading` leads from the file to
the objects. Files are read only when a telescope is asked for, so that importing this package does not import pydantic.
"""

from typing import TYPE_CHECKING, Any

from oofpy.telescope.model import Blockage as Blockage
from oofpy.telescope.model import Conventions as Conventions
from oofpy.telescope.model import Geometry as Geometry
from oofpy.telescope.model import Illumination as Illumination
from oofpy.telescope.model import Legs as Legs
from oofpy.telescope.model import Row as Row
from oofpy.telescope.model import Telescope as Telescope
from oofpy.telescope.path_tables import PathMap as PathMap
from oofpy.telescope.path_tables import PathTerm as PathTerm
from oofpy.telescope.path_tables import ResidualPath as ResidualPath

if TYPE_CHECKING:
    from oofpy.telescope.loading import available_telescopes as available_telescopes
    from oofpy.telescope.loading import load_telescope as load_telescope
    from oofpy.telescope.loading import telescope_folder as telescope_folder
    from oofpy.telescope.loading import with_overrides as with_overrides

_LOADING = ("available_telescopes", "load_telescope", "telescope_folder", "with_overrides")


def __getattr__(name: str) -> Any:
    if name in _LOADING:
        from oofpy.telescope import loading

        return getattr(loading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
