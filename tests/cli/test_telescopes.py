from oofpy.telescope import available_telescopes


def test_list(run):
    outcome = run("telescopes")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *available_telescopes()]
    assert next(line for line in lines if line.startswith("effelsberg")).split()[1:3] == ["100", "m"]


def test_show_marks_what_has_no_source(run):
    outcome = run("telescopes", "show", "SRT")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    radius = next(line for line in lines if "geometry.dish_radius" in line)
    assert "32.004 m" in radius
    assert "pyoof-srt" in radius
    taper = next(line for line in lines if " illumination.edge_taper " in line)
    assert taper.startswith("*  ")
    assert "-12 dB" in taper
    marked = [line for line in lines if line.startswith("*  ")]
    assert all("unsourced" in line for line in marked)
    assert lines[-1] == f"* {len(marked)} without a source"


def test_show_unknown_name(refused):
    assert "is not a known telescope; known telescopes: aca7m, alma" in refused("telescopes", "show", "srtt")


def test_show_tells_what_is_unknown(run, tmp_path):
    from oofpy.telescope import telescope_folder

    text = (telescope_folder() / "srt.toml").read_text().replace('"21.0236 m"', '"unknown"')
    path = tmp_path / "mine.toml"
    path.write_text(text)
    outcome = run("telescopes", "show", path)
    assert outcome.out.splitlines()[-1] == "unknown, to be given before a fit: geometry.primary_focal_length"
