import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oofpy.errors import ConfigurationError, InputError
from oofpy.flag_kinds import FLAG_KINDS
from oofpy.io.observations import read_observation
from oofpy.limits import Limits
from oofpy.map_statistics import peak_position
from oofpy.observation import BeamMap, Observation
from oofpy.observing import Chop, ExtendedSource, Observing
from oofpy.plausibility import APPARENT_DIAMETERS_ARCSEC, check_observation, defocus_path_waves
from oofpy.plausibility.clipping import clipped_flags
from oofpy.plausibility.focus import focus_on_near_source_m
from oofpy.telescope import Blockage, Geometry, Illumination, PathMap, ResidualPath, Telescope, load_telescope

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared" / "data"
TELESCOPE = load_telescope("jcmt")
WAVELENGTH = 1.1e-3
BEAM = WAVELENGTH / (2 * TELESCOPE.geometry.dish_radius_m)


def spot_map(dz, *, seed=0, samples=65, half_width=6.0, centre=(0.0, 0.0), height=1000.0, noise=1.0):
    rng = np.random.default_rng(seed)
    axis = np.linspace(-half_width, half_width, samples)
    u, v = np.meshgrid(axis, axis)
    width = 1.2 + abs(dz) * 600
    r2 = (u - centre[0]) ** 2 + (v - centre[1]) ** 2
    power = height / width**2 * np.exp(-4 * np.log(2) * r2 / width**2) + rng.normal(0, noise, u.shape)
    return BeamMap(u * BEAM, v * BEAM, power, dz, label=f"dz {dz * 1e3:g} mm")


def observation(defocus=(-3e-3, 0.0, 3e-3), wavelength=WAVELENGTH, **settings):
    maps = [spot_map(dz, seed=number, **settings) for number, dz in enumerate(defocus)]
    return Observation("test", maps, wavelength)


def codes(flags, serious=None):
    return [flag.code for flag in flags if serious is None or flag.serious == serious]


def test_a_sound_observation_has_no_flags():
    assert check_observation(observation(), TELESCOPE) == ()


def with_map(good, number, **fields):
    """The observation with one map changed, counted from 1."""
    maps = (replace(one, **fields) if place == number else one for place, one in enumerate(good.maps, 1))
    return replace(good, maps=tuple(maps))


def clipped(height, number=2, seed=0):
    """An observation of which one map is cut off at a part of its height."""
    good = observation(samples=65)
    power = good.maps[number - 1].power + np.random.default_rng(seed).normal(0, 1e-3, 65 * 65)
    return with_map(good, number, power=np.minimum(power, height * power.max()))


def scaled_dz(factor):
    return replace(observation(), maps=tuple(replace(m, defocus_m=m.defocus_m * factor) for m in observation().maps))


FAINT = spot_map(3e-3, height=60.0, seed=9)
# What each kind of flag is about.
SPOILT = {
    "too-few-good-maps": lambda: observation(height=100.0, defocus=(-4e-3, 0.0, 4e-3)),
    "clipped-peak": lambda: clipped(0.6),
    "low-signal": lambda: with_map(observation(), 3, power=FAINT.power),
    "map-size": lambda: observation(half_width=45.0, samples=121, height=1e5),
    "undersampled": lambda: observation(samples=11, height=1e5),
    "defocus-size": lambda: scaled_dz(5.0),
    "source-at-border": lambda: with_map(observation(), 2, power=spot_map(0.0, centre=(6.2, 1.0), height=1e4).power),
    "source-size": lambda: replace(observation(), object_name="Jupiter"),
    "chop-unresolved": lambda: replace(observation(), observing=Observing(chop=Chop(0.4 * BEAM, 0.0))),
    "negative-beam": lambda: chopped(),
    "no-focus-map": lambda: observation(defocus=(-3e-3, 3e-3)),
}
ACCOMPANIED = {"too-few-good-maps": {"low-signal"}, "undersampled": {"low-signal"}}
# Of every limit: the kind, a value at which it is raised, and one at which it is not.
LIMITS = [
    ("too-few-good-maps", "fewest_good_maps", 2, 1),
    ("too-few-good-maps", "least_signal_to_noise", 10.0, 4.0),
    ("clipped-peak", "fewest_clipped_samples", 20, 40),
    ("low-signal", "least_signal_to_noise", 15.0, 3.0),
    ("map-size", "most_half_width_beams", 44.0, 46.0),
    ("undersampled", "most_spacing_beams", 1.0, 1.2),
    ("defocus-size", "most_defocus_waves", 8.0, 12.0),
]


def test_every_kind_of_a_check_is_tried():
    kinds = {code: kind for code, kind in FLAG_KINDS.items() if kind.stage == "maps"}
    assert set(SPOILT) == set(kinds)
    tried = {name for _, name, _, _ in LIMITS}
    elsewhere = {"least_signal_in_focus", "least_half_width_beams", "least_defocus_waves"}
    assert {name for kind in kinds.values() for name in kind.limits} == tried | elsewhere


@pytest.mark.parametrize("code", SPOILT)
def test_each_kind_is_raised_by_what_it_is_about(code):
    flags = check_observation(SPOILT[code](), TELESCOPE)
    assert {flag.code for flag in flags} - ACCOMPANIED.get(code, set()) == {code}
    flag = next(flag for flag in flags if flag.code == code)
    assert flag.level is FLAG_KINDS[code].level
    assert flag.message.isprintable()
    assert flag.message.endswith(f"; {FLAG_KINDS[code].advice}")


@pytest.mark.parametrize(("code", "name", "raises", "does_not"), LIMITS)
def test_each_limit_can_be_set(code, name, raises, does_not):
    spoilt = SPOILT[code]()
    assert code in codes(check_observation(spoilt, TELESCOPE, Limits(**{name: raises})))
    assert code not in codes(check_observation(spoilt, TELESCOPE, Limits(**{name: does_not})))


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("low-signal", {"least_signal_in_focus": 1e6}),
        ("map-size", {"most_half_width_beams": 5.9}),
        ("map-size", {"least_half_width_beams": 6.1}),
        ("defocus-size", {"least_defocus_waves": 2.5}),
        ("defocus-size", {"most_defocus_waves": 1.5}),
        ("too-few-good-maps", {"fewest_good_maps": 4}),
        ("undersampled", {"most_spacing_beams": 0.15}),
    ],
)
def test_a_tight_limit_flags_a_sound_observation(code, limits):
    flags = check_observation(observation(), TELESCOPE, Limits(**limits))
    assert codes(flags) == [code]
    assert flags[0].serious is (code != "low-signal")


def test_what_is_refused_does_not_depend_on_the_limits():
    wide = Limits(
        least_half_width_beams=0.0, most_half_width_beams=1e9, least_defocus_waves=0.0, most_defocus_waves=1e9
    )
    with pytest.raises(InputError, match="cannot be the defocus"):
        check_observation(scaled_dz(1e3), TELESCOPE, wide)
    with pytest.raises(InputError, match="cannot be the size of a beam map"):
        check_observation(observation(half_width=900.0), TELESCOPE, wide)


@pytest.mark.parametrize("height", [0.5, 0.7, 0.9])
def test_a_clipped_peak_is_named_with_its_samples(height):
    observed = clipped(height)
    power = observed.maps[1].power
    [flag] = check_observation(observed, TELESCOPE)
    assert flag.message.startswith(f"map 2 (dz 0 mm): {np.count_nonzero(power == power.max())} samples share")
    assert flag.level.value == "reject"
    # What is masked does not count.
    assert check_observation(with_map(observed, 2, used=power < power.max()), TELESCOPE) == ()


def test_the_map_with_the_most_clipped_samples_is_counted():
    both = with_map(clipped(0.5), 3, power=clipped(0.8, 3).maps[2].power)
    [flag] = check_observation(both, TELESCOPE)
    assert flag.message.startswith("map 2 (dz 0 mm), map 3 (dz 3 mm): ")


@pytest.mark.parametrize("samples", [32, 33])
@pytest.mark.parametrize("ring", [0.0, 3.0])
@pytest.mark.parametrize("elongation", [1.0, 1.3])
def test_equal_values_of_a_symmetric_map_without_noise_are_not_clipped(samples, ring, elongation):
    """Of the middle of an even grid, or on a ring, four or eight samples share the highest value."""
    maps = []
    for beam_map in observation(samples=samples, noise=0.0).maps:
        r = np.hypot(elongation * beam_map.u_rad, beam_map.v_rad) / BEAM
        maps.append(replace(beam_map, power=1000 * np.exp(-((r - ring) ** 2))))
    assert clipped_flags(Observation("symmetric", maps, WAVELENGTH), 4) == []


def test_coarsely_rounded_maps_are_not_clipped():
    maps = [replace(one, power=np.round(one.power / 20)) for one in observation(defocus=(-4e-3, 0.0, 4e-3)).maps]
    assert clipped_flags(Observation("rounded", maps, WAVELENGTH), 4) == []


def test_a_map_that_shows_nothing_is_faint_and_not_clipped():
    dead = with_map(observation(), 3, power=np.zeros(65 * 65))
    assert codes(check_observation(dead, TELESCOPE)) == ["source-at-border", "low-signal"]


@pytest.mark.parametrize(
    ("file", "telescope"),
    [("srt_2019-04-26/srt_2019-04-26.fits", "srt"), ("pyoof/example0.fits", "effelsberg")],
)
def test_third_party_observations_pass(file, telescope):
    if not SHARED.is_dir():
        pytest.skip("the third-party sample data are not at shared/data beside the repository")
    assert codes(check_observation(read_observation(SHARED / file), load_telescope(telescope)), True) == []


def test_glitches_move_no_peak_and_raise_no_flag():
    maps = []
    for beam_map in observation(centre=(1.0, -2.0)).maps:
        rng = np.random.default_rng(beam_map.power.size)
        power = np.array(beam_map.power)
        hit = rng.uniform(size=power.size) < 0.03
        power[hit] += power.max() * rng.uniform(0.2, 1.0, hit.sum())
        maps.append(replace(beam_map, power=power))
    glitchy = Observation("glitchy", maps, WAVELENGTH)
    assert check_observation(glitchy, TELESCOPE) == ()
    for beam_map in glitchy.maps:
        assert np.array(peak_position(beam_map)) / BEAM == pytest.approx([1, -2], abs=0.3)


@pytest.mark.parametrize("half_width", [1.5, 45.0])
def test_unusual_map_size_is_flagged(half_width):
    flags = check_observation(observation(half_width=half_width, samples=121), TELESCOPE)
    assert codes(flags, True)[0] == "map-size"
    assert f"{half_width:g} lambda/D" in flags[0].message


def test_coordinates_in_arcseconds_are_refused():
    maps = [
        replace(beam_map, u_rad=beam_map.u_rad * 206265, v_rad=beam_map.v_rad * 206265)
        for beam_map in observation().maps
    ]
    with pytest.raises(InputError, match=r"U, V = half-width .*radians|U, V = half-width .*rad expected"):
        check_observation(Observation("test", maps, WAVELENGTH), TELESCOPE)


def test_one_map_of_the_wrong_size_is_enough():
    good = observation()
    tiny = replace(good.maps[1], u_rad=good.maps[1].u_rad / 100, v_rad=good.maps[1].v_rad / 100)
    with pytest.raises(InputError, match="cannot be the size of a beam map"):
        check_observation(Observation("test", (good.maps[0], tiny, good.maps[2]), WAVELENGTH), TELESCOPE)


@pytest.mark.parametrize(("scale", "refused"), [(0.05, False), (5.0, False), (1e-3, True), (1e3, True)])
def test_unusual_defocus_is_flagged_and_absurd_defocus_refused(scale, refused):
    good = observation()
    scaled = Observation(
        "test",
        [replace(beam_map, defocus_m=beam_map.defocus_m * scale) for beam_map in good.maps],
        WAVELENGTH,
    )
    if refused:
        with pytest.raises(InputError, match=r"DZ = .*metres expected.*--dz"):
            check_observation(scaled, TELESCOPE)
    else:
        assert codes(check_observation(scaled, TELESCOPE), True) == ["defocus-size"]


def test_path_in_wavelengths_by_hand():
    # Rim of the JCMT: a = 7.5 / 10.8, b = 7.5 / 360; on axis both terms are 1 (there is no hole of 0).
    geometry, hole = TELESCOPE.geometry, TELESCOPE.blockage.disc_radius_m

    def factor(r):
        squares = [(r / (2 * f)) ** 2 for f in (geometry.primary_focal_length_m, geometry.effective_focal_length_m)]
        return sum((1 - s) / (1 + s) for s in squares)

    expected = 3e-3 * (factor(hole) - factor(geometry.dish_radius_m)) / WAVELENGTH
    assert 1 < expected < 3
    for dz in (3e-3, -3e-3):
        assert defocus_path_waves(TELESCOPE, dz, WAVELENGTH) == pytest.approx(expected, rel=1e-12)


def test_no_map_near_focus_is_a_note():
    flags = check_observation(observation(defocus=(-3e-3, 3e-3)), TELESCOPE)
    assert codes(flags, False) == ["no-focus-map"]
    assert codes(flags, True) == []


def test_coarse_sampling_is_flagged():
    flags = check_observation(observation(samples=9, half_width=6.0, height=1e5), TELESCOPE)
    assert "undersampled" in codes(flags, True)


def test_too_few_samples_are_refused():
    good = observation()
    used = np.zeros(good.maps[2].power.size, bool)
    used[:19] = True
    maps = (*good.maps[:2], replace(good.maps[2], used=used))
    with pytest.raises(InputError, match=r"map 3 \(dz 3 mm\) = 19 of 4225 .*at least 20") as caught:
        check_observation(Observation("test", maps, WAVELENGTH), TELESCOPE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("samples", [25, 65])
@pytest.mark.parametrize("place", [6.0, 6.5])
def test_a_source_at_the_border_of_one_map_is_flagged(place, samples):
    good = observation()
    cut = spot_map(0.0, centre=(place, 1.0), height=1e4, samples=samples)
    flags = check_observation(Observation("test", (good.maps[0], cut, good.maps[2]), WAVELENGTH), TELESCOPE)
    assert codes(flags, True) == ["source-at-border"]
    assert "map 2" in flags[0].message


@pytest.mark.parametrize("samples", [25, 65])
def test_a_source_well_inside_is_not_flagged(samples):
    inside = observation(centre=(3.0, -3.0), samples=samples, height=1e5)
    assert check_observation(inside, TELESCOPE) == ()


@pytest.mark.parametrize(("centre", "height"), [((30.0, 0.0), 1000.0), ((0.0, 0.0), 0.0), ((6.4, 0.0), 1e4)])
def test_no_source_in_any_map_is_refused(centre, height):
    with pytest.raises(InputError, match="shows no source"):
        check_observation(observation(centre=centre, height=height), TELESCOPE)


def test_a_faint_map_is_flagged():
    good = observation()
    faint = spot_map(3e-3, height=60.0, seed=9)
    flags = check_observation(Observation("test", (*good.maps[:2], faint), WAVELENGTH), TELESCOPE)
    assert codes(flags, True) == ["low-signal"]
    assert "map 3" in flags[0].message


def test_a_weak_focused_map_is_a_note():
    flags = check_observation(observation(height=150.0), TELESCOPE)
    assert codes(flags) == ["low-signal"]
    assert codes(flags, True) == []


def test_a_noise_free_map_has_signal():
    assert codes(check_observation(observation(noise=0.0), TELESCOPE)) == []


def test_an_incomplete_telescope_is_refused():
    with pytest.raises(ConfigurationError, match="unknown"):
        check_observation(observation(), replace(TELESCOPE, missing=("geometry.primary_focal_length",)))


ARCSEC = np.pi / 648000
FWHM = 1.2 * BEAM  # 18.15 arcsec: 0.3 of it are 5.4 arcsec


def of(name=None, **observing):
    return replace(observation(), object_name=name, observing=Observing(**observing))


@pytest.mark.parametrize(
    ("name", "serious"),
    [
        ("Jupiter", True),
        ("VENUS_20190426", True),
        ("the moon", True),
        ("Sun", True),
        ("mars", False),
        ("MERCURY", False),
        ("uranus", None),
        ("Neptune", None),
        ("3C84", None),
        ("Marsden 5", None),
        (None, None),
    ],
)
def test_a_planet_as_large_as_the_beam_is_flagged(name, serious):
    flags = check_observation(of(name), TELESCOPE)
    assert codes(flags) == ([] if serious is None else ["source-size"])
    assert codes(flags, True) == (["source-size"] if serious else [])
    if serious is not None:
        assert "1.2 lambda/D = 18.15" in flags[0].message


def test_a_planet_with_its_disc_in_the_model_is_not_flagged():
    disc = ExtendedSource("disc", 40 * ARCSEC)
    assert check_observation(of("Jupiter", source=disc), TELESCOPE) == ()


@pytest.mark.parametrize(("times", "flagged"), [(2.9, False), (3.1, True)])
def test_a_modelled_source_of_many_beams_is_flagged(times, flagged):
    flags = check_observation(of(source=ExtendedSource("gaussian", times * FWHM)), TELESCOPE)
    assert codes(flags, True) == (["source-size"] if flagged else [])
    if flagged:
        assert "3.1 times" in flags[0].message


def chopped(gain=1.0, throw=4.0, centre=(-2.0, 1.0), chop=None, **settings):
    """Maps of a beam minus the same beam `throw` beams to the right."""
    maps = []
    for number, dz in enumerate((-2e-3, 0.0, 2e-3)):
        positive = spot_map(dz, seed=number, centre=centre, **settings)
        negative = spot_map(dz, seed=number + 50, centre=(centre[0] + throw, centre[1]), **settings)
        maps.append(replace(positive, power=positive.power - gain * negative.power))
    return Observation("chopped", maps, WAVELENGTH, observing=Observing(chop=chop))


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_a_beam_switched_map_is_flagged(gain):
    flags = check_observation(chopped(gain), TELESCOPE)
    assert codes(flags, True) == ["negative-beam"]
    assert "observing.chop_throw" in flags[0].message


@pytest.mark.parametrize(
    ("throw", "centre"), [(4.0, (-2.0, 1.0)), (5.0, (0.5, 0.0)), (9.0, (0.0, 0.0)), (2.0, (0.0, 0.0))]
)
def test_a_beam_switched_map_with_its_chop_in_the_model_is_not_flagged(throw, centre):
    observed = chopped(throw=throw, centre=centre, chop=Chop(throw * BEAM, 0.0))
    assert check_observation(observed, TELESCOPE) == ()


def test_noise_glitches_and_slopes_are_no_negative_beam():
    rng = np.random.default_rng(3)
    maps = []
    for beam_map in observation(height=150.0).maps:
        power = np.array(beam_map.power) + 3 * beam_map.u_rad / BEAM
        hit = rng.uniform(size=power.size) < 0.03
        power[hit] -= power.max() * rng.uniform(0.2, 1.0, hit.sum())
        maps.append(replace(beam_map, power=power))
    assert "negative-beam" not in codes(check_observation(Observation("test", maps, WAVELENGTH), TELESCOPE))


def test_a_hollow_in_defocused_maps_alone_is_no_negative_beam():
    maps = list(observation().maps)
    for number in (0, 2):
        ring = np.hypot(maps[number].u_rad, maps[number].v_rad) / BEAM
        bumpy = 500 * np.exp(-((ring - 3) ** 2)) - 250 * np.exp(-(ring**2)) + maps[number].power
        maps[number] = replace(maps[number], power=bumpy)
    assert "negative-beam" not in codes(check_observation(Observation("test", maps, WAVELENGTH), TELESCOPE))


def test_defocus_of_a_near_source_counts_its_own_path():
    # At 20 km the rim of the JCMT lies 1.4 mm = 1.3 wavelengths behind, as if 2.15 mm out of focus.
    def path(r):
        ahead = 20e3 - r**2 / (4 * TELESCOPE.geometry.primary_focal_length_m)
        return np.hypot(r, ahead) - ahead

    expected = (path(7.5) - path(TELESCOPE.blockage.disc_radius_m)) / WAVELENGTH
    assert expected == pytest.approx(1.275, abs=1e-3)
    assert defocus_path_waves(TELESCOPE, 0.0, WAVELENGTH, 20e3) == pytest.approx(expected, rel=1e-5)
    assert defocus_path_waves(TELESCOPE, 2.15e-3, WAVELENGTH, 20e3) < 0.2
    shifted = [replace(beam_map, defocus_m=beam_map.defocus_m + 2.15e-3) for beam_map in observation().maps]
    far = replace(observation(), maps=tuple(shifted))
    near = replace(far, observing=Observing(source_distance_m=20e3))
    assert codes(check_observation(far, TELESCOPE)) == ["no-focus-map"]
    assert check_observation(near, TELESCOPE) == ()


@pytest.mark.parametrize(("distance", "refused"), [(3e3, False), (60.0, True)])
def test_a_path_that_is_mostly_of_the_near_source_blames_its_distance(distance, refused):
    near = of(source_distance_m=distance)
    if refused:
        with pytest.raises(InputError, match=r"observing\.source_distance = 60 m.*=none") as caught:
            check_observation(near, TELESCOPE)
        assert "unit of dz" not in str(caught.value)
        return
    flag, note = check_observation(near, TELESCOPE)[:2]
    assert (flag.code, note.code) == ("defocus-size", "no-focus-map")
    focus = focus_on_near_source_m(TELESCOPE, distance)
    place = f"a source at 3000 m is in focus at a dz of about {1e3 * focus:.3g} mm away from the primary"
    nearest = f"to which map 3 (dz 3 mm) is nearest, {1e3 * focus - 3:.3g} mm off"
    assert all(f"{place}, {nearest}" in one.message for one in (flag, note))
    assert "for a near source check observing.source_distance" in flag.message
    assert "none" not in flag.message


@pytest.mark.parametrize("name", ["jcmt", "gbt", "srt"])
def test_the_focus_on_a_near_source_has_the_least_path(name):
    dish = load_telescope(name)
    distance = 100 * dish.geometry.dish_radius_m**2
    focus = focus_on_near_source_m(dish, distance)
    assert focus > 0
    at_focus = defocus_path_waves(dish, focus, 1.0, distance)
    assert at_focus < 0.2 * defocus_path_waves(dish, 0.0, 1.0, distance)
    # The least mean square of what is left is not the least range, but close to it.
    ranges = [defocus_path_waves(dish, focus * factor, 1.0, distance) for factor in (0.8, 0.9, 1.1, 1.2)]
    assert at_focus < min(ranges[0], ranges[-1])


def test_the_focus_on_a_source_far_away_by_hand():
    """A path of k r^2 dz, k the same over a flat dish, cancels r^2 / 2d."""
    geometry = Geometry("prime-focus", 1.0, 20.0)
    dish = Telescope("flat", geometry, Illumination("tophat"), Blockage(0.0))
    # Prime focus: cos(2 atan(r / 2F)) falls by r^2 / 2F^2.
    assert focus_on_near_source_m(dish, 1e4) == pytest.approx(20.0**2 / 1e4, rel=2e-3)


def test_a_source_wider_than_a_map_is_refused():
    wide = of(source=ExtendedSource("disc", 12.1 * BEAM))
    with pytest.raises(
        InputError, match=r"observing\.source_diameter = .*wider than map 1 \(dz -3 mm\) with its .*unit"
    ):
        check_observation(wide, TELESCOPE)
    inside = of(source=ExtendedSource("disc", 11.9 * BEAM))
    assert codes(check_observation(inside, TELESCOPE)) == ["source-size"]


@pytest.mark.parametrize(("throw", "flagged"), [(0.45, True), (0.55, False)])
def test_a_throw_within_the_beam_is_flagged(throw, flagged):
    flags = check_observation(of(chop=Chop(throw * BEAM, 0.0)), TELESCOPE)
    assert codes(flags, True) == (["chop-unresolved"] if flagged else [])
    if flagged:
        assert "0.45 lambda/D" in flags[0].message


def test_a_path_that_is_mostly_of_dz_blames_dz_beside_a_near_source():
    good = of(source_distance_m=20e3)
    maps = tuple(replace(beam_map, defocus_m=beam_map.defocus_m * 1e3) for beam_map in good.maps)
    with pytest.raises(InputError, match=r"DZ = largest dz 3 m.*unit of dz"):
        check_observation(replace(good, maps=maps), TELESCOPE)


def test_path_of_an_offset_dish_to_a_near_source_leaves_out_its_tilt():
    gbt = load_telescope("gbt")
    waves = defocus_path_waves(gbt, 0.0, 1.0, 50e3)
    assert waves == pytest.approx(50**2 / (2 * 50e3), rel=0.01)


def test_a_path_leaves_out_piston_tilt_and_the_blocked_middle():
    axis = np.linspace(-3, 3, 61)
    squares = axis**2 + axis[:, None] ** 2
    curved = PathMap(axis, axis, (5.0 + 7 * axis - 3 * axis[:, None] + 0.2 * squares)[None])
    geometry = Geometry("tabulated", 3.0, None, residual_path=ResidualPath(map=curved))
    for hole, waves in ((0.0, 0.2 * 9), (1.0, 0.2 * 8)):
        dish = Telescope("curved", geometry, Illumination("tophat"), Blockage(hole))
        assert defocus_path_waves(dish, -0.01, 0.01) == pytest.approx(waves, rel=1e-6)


def test_apparent_diameters_are_those_of_the_fact_sheets():
    assert APPARENT_DIAMETERS_ARCSEC["sun"] == (1887, 1952)
    assert APPARENT_DIAMETERS_ARCSEC["moon"] == (1761, 2010)


@pytest.mark.parametrize(
    ("dz", "moves_per_wavelength", "waves"),
    [(38e-3, 4.1, 1.1), (35e-3, 5.0, 1.3), (12e-3, 3.1, 0.8), (10e-3, 2.9, 0.8), (10e-3, 3.0, 0.8)],
)
def test_path_of_the_gbt_is_that_of_its_receivers_without_its_tilt(dz, moves_per_wavelength, waves):
    gbt = load_telescope("gbt")
    assert defocus_path_waves(gbt, dz, dz / moves_per_wavelength) == pytest.approx(waves, abs=0.05)


def test_importing_the_checks_imports_no_torch():
    code = "import sys; import oofpy.plausibility; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
