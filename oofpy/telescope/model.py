"""What the numerics know of a telescope: frozen, SI units, radians."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from oofpy.errors import ConfigurationError
from oofpy.telescope.path_tables import PathMap, ResidualPath

GeometryKind = Literal["prime-focus", "cassegrain", "gregorian", "offset-gregorian", "tabulated"]
IlluminationKind = Literal["gaussian", "pedestal", "tophat", "alma"]

_RESIDUAL_PATH = "geometry.residual_path"


class Row(NamedTuple):
    """One entry of a telescope file: dotted key, value as text with its unit, and source."""

    key: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Geometry:
    """Dish and focal lengths.

    Parameters
    ----------
    kind : {"prime-focus", "cassegrain", "gregorian", "offset-gregorian", "tabulated"}
        Where the feed stands and how the subreflector is curved; "tabulated" for mirrors whose defocus path has no
        formula here and comes from `residual_path` alone.
    dish_radius_m : float, metres
        Radius R of the primary; for an offset dish of its aperture.
    primary_focal_length_m : float, metres, optional
        Focal length of the primary, for an offset dish of the paraboloid it is cut from; None where tabulated.
    effective_focal_length_m : float, metres, optional
        Focal length of primary and subreflector together; None for a prime focus and where tabulated.
    shaped : bool
        True where the mirrors depart from paraboloid and conic by design.
    residual_path : ResidualPath, optional
        Defocus path beyond the formula of `kind`; None: the formula alone.
    axis_offset_m : float, metres
        Offset dish: distance of its centre from the axis of the paraboloid, which passes y = -axis_offset_m.
    primary_tilt_rad, secondary_tilt_rad : float, radians
        Offset dish: angles between the direction of dz and the axis of the paraboloid, and between dz and the axis of
        the cone that the feed sees; phi0 and xi.
    static_path : PathMap, optional
        Path in metres that the mirrors add by design at every dz, positive for a longer path; one plane.
    """

    kind: GeometryKind
    dish_radius_m: float
    primary_focal_length_m: float | None
    effective_focal_length_m: float | None = None
    shaped: bool = False
    residual_path: ResidualPath | None = None
    axis_offset_m: float = 0.0
    primary_tilt_rad: float = 0.0
    secondary_tilt_rad: float = 0.0
    static_path: PathMap | None = None


@dataclass(frozen=True, slots=True)
class Illumination:
    """Amplitude of the feed's pattern over the dish.

    Parameters
    ----------
    kind : {"gaussian", "pedestal", "tophat", "alma"}
        Functional form.
    edge_taper_db : float, decibels
        Power at the rim relative to the centre, negative; the start where it is fitted. Zero for a top
        hat; for the ALMA form it is what `width` makes it.
    edge_taper_min_db, edge_taper_max_db : float, decibels
        Bounds of the fit; equal to the taper where there is nothing to fit.
    edge_taper_free : bool
        Whether the taper is fitted by default.
    pedestal_exponent : float, optional
        q of the pedestal form ``C + (1 - C) (1 - (r/R)^2)^q``; None for the others.
    width : float, optional
        sigma of the ALMA form in units of R; None for the others.
    """

    kind: IlluminationKind
    edge_taper_db: float = 0.0
    edge_taper_min_db: float = 0.0
    edge_taper_max_db: float = 0.0
    edge_taper_free: bool = False
    pedestal_exponent: float | None = None
    width: float | None = None


@dataclass(frozen=True, slots=True)
class Legs:
    """Legs that carry the subreflector, as seen along the axis.

    Parameters
    ----------
    position_angles_rad : tuple of float, radians
        Direction of each leg from the centre, from +x towards +y.
    half_width_m : float, metres
        Half the width of the straight bar that stands in the plane wave.
    outer_radius_m : float, metres
        Where the bar ends; it starts at the central disc.
    shade_angle_rad : float, radians, optional
        Beyond the bar the leg stands in the spherical wave and its shadow widens: its edge runs from the
        end of the bar to the rim, which it meets on the line that leaves (0, half width) at
        this angle to the leg. None: no shadow beyond the bar.
    """

    position_angles_rad: tuple[float, ...]
    half_width_m: float
    outer_radius_m: float
    shade_angle_rad: float | None = None


@dataclass(frozen=True, slots=True)
class Blockage:
    """What stands before the dish.

    Parameters
    ----------
    disc_radius_m : float, metres
        Radius of the central disc; 0 for none.
    legs : Legs, optional
        None where there are none or where the model leaves them out.
    """

    disc_radius_m: float = 0.0
    legs: Legs | None = None


@dataclass(frozen=True, slots=True)
class Conventions:
    """How the telescope's data files differ from the signs of the model.

    Parameters
    ----------
    defocus_sign : {1, -1}
        +1: dz > 0 in the file moves the subreflector (prime focus: the feed) away from the primary;
        -1: towards it. The model's dz is this times the file's.
    u_sign, v_sign : {1, -1}
        +1: u to the right and v up, seen from behind the dish looking at the sky, of the source minus the
        telescope's axis. The model's u, v are these times the file's.
    image_offsets : {"telescope", "source"}, optional
        What the offsets in images of the sky are: the telescope's axis minus the source, as where a map maker places
        what each sample saw, or the source minus the axis. None: not known, to be said with the data.
    defocus, sky, surface : str
        The same in words, for reports; `surface` says what a positive surface error is.
    """

    defocus_sign: int = 1
    u_sign: int = 1
    v_sign: int = 1
    image_offsets: Literal["telescope", "source"] | None = None
    defocus: str = "dz > 0: the subreflector moves away from the primary and the path grows"
    sky: str = "u right, v up, seen from behind the dish looking at the sky; source minus the telescope's axis"
    surface: str = "surface error > 0: the metal lies below the ideal surface, towards the back"


@dataclass(frozen=True)
class Telescope:
    """A telescope as the model needs it.

    Parameters
    ----------
    name : str
        Short name.
    geometry : Geometry
        Dish and focal lengths.
    illumination : Illumination
        Amplitude over the dish.
    blockage : Blockage
        Central disc and legs.
    conventions : Conventions
        Signs of its data files.
    description : str
        One line about the telescope.
    source_file : Path, optional
        The file it was read from; None for one made in Python.
    sha256 : str
        Hash of that file's bytes, hexadecimal.
    missing : tuple of str
        Dotted keys of numbers that the model needs and the file calls unknown. These are NaN in
        the objects above, so `require_complete` stands before any use of them.
    overrides : tuple of (key, value)
        Settings that replaced numbers of the file, as text.
    rows : tuple of Row
        Every entry of the file, for `table`.
    document : mapping
        The parsed TOML with the overrides, from which `with_overrides` starts.
    """

    name: str
    geometry: Geometry
    illumination: Illumination
    blockage: Blockage = Blockage()
    conventions: Conventions = Conventions()
    description: str = ""
    source_file: Path | None = None
    sha256: str = ""
    missing: tuple[str, ...] = ()
    overrides: tuple[tuple[str, str], ...] = ()
    rows: tuple[Row, ...] = field(default=(), repr=False)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False, hash=False)

    def require_complete(self) -> None:
        """Refuse a telescope of which a number is still unknown.

        Raises
        ------
        ConfigurationError
            Naming the file and the missing numbers.
        """
        if self.missing:
            are, them = ("is", "it") if len(self.missing) == 1 else ("are", "them")
            raise ConfigurationError(
                f"{are} unknown, and the model of {self.name} needs {them}",
                file=self.source_file,
                key=", ".join(self.missing),
                remedy=self._remedy(),
            )

    def _remedy(self) -> str:
        """Say how to give every number that is missing."""
        numbers = [f"telescope.{key}=VALUE" for key in self.missing if key != _RESIDUAL_PATH]
        remedies = []
        if numbers:
            what = "value" if len(numbers) == 1 else "values"
            remedies.append(f"write the {what} into the file, or set {' and '.join(numbers)}")
        if _RESIDUAL_PATH in self.missing:
            remedy = f"write the table {_RESIDUAL_PATH} into the file, or set telescope.{_RESIDUAL_PATH}.map=FILE"
            if self.geometry.kind != "tabulated":
                remedy += ", or telescope.geometry.shaped=false to do without it"
            remedies.append(remedy)
        return "; ".join(remedies)

    def path_maps(self) -> tuple[PathMap, ...]:
        """Give the maps that were read for it, with their files and hashes."""
        residual = self.geometry.residual_path
        found = (None if residual is None else residual.map, self.geometry.static_path)
        return tuple(path_map for path_map in found if path_map is not None)

    def table(self) -> list[Row]:
        """List every entry of the file: dotted key, value with its unit, and source.

        The source is empty for words and switches, and starts with "unsourced" where there is none.
        """
        return list(self.rows)

    def sources(self) -> dict[str, str]:
        """Map the dotted key of every number to its source."""
        return {row.key: row.source for row in self.rows if row.source}
