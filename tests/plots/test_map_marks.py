from dataclasses import replace

from oofpy.plots.map_marks import map_mark, map_title


def test_maps_are_told_apart_without_colour():
    marks = [map_mark(number) for number in range(1, 8)]
    assert len({mark.marker for mark in marks}) == 7
    assert len({mark.colour for mark in marks}) == 7
    assert len({str(mark.line) for mark in marks[:4]}) == 4
    assert map_mark(8) != map_mark(1)


def test_map_is_called_by_number_and_dz(made_result):
    fitted = made_result.fit.maps[0]
    assert map_title(1, fitted) == "map 1, dz -27 mm"
    assert map_title(2, replace(fitted, dz_m=-3.5e-18)) == "map 2, dz 0"
    assert map_title(7, replace(fitted, dz_m=0.0125)) == "map 7, dz +12.5 mm"
