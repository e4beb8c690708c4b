import pytest

from oofpy.archive import manifest as manifest_module
from oofpy.archive.manifest import is_manifest, read_manifest, requests_of
from oofpy.errors import InputError, OofError, UsageError
from oofpy.fitting.settings import FitSettings
from oofpy.recipe import RecipeTexts

TEXTS = RecipeTexts(telescope="jcmt", dz="-1mm,1mm", settings={"order": "3", "likelihood": "huber"})


@pytest.fixture
def manifest(text_file):
    """Write a manifest beside the files a.fits to d.fits."""
    for name in ("a.fits", "b.fits", "c.fits", "d.fits", "maps/x.txt"):
        text_file(name)
    return lambda text, name="list.csv": text_file(name, text)


@pytest.fixture
def read(manifest, tmp_path):
    def read(text, texts=TEXTS):
        requests = list(read_manifest(manifest(text), texts))
        names = [[str(file.relative_to(tmp_path)) for file in request.files] for request in requests]
        return names, requests

    return read


def test_files_of_rows(read):
    names, requests = read("files\na.fits;  b.fits\nc.fits\nmaps/*.txt\n[c-d].fits\n")
    assert names == [["a.fits", "b.fits"], ["c.fits"], ["maps/x.txt"], ["c.fits", "d.fits"]]
    # One file may hold one map of several.
    assert [request.complete for request in requests] == [True, False, False, True]
    names, requests = read("file\n[a-c].fits\nmaps\n")
    assert names == [["a.fits"], ["b.fits"], ["c.fits"], ["maps/x.txt"]]
    assert not any(request.complete for request in requests)


def test_what_a_row_says_stands_above_the_command_line(read):
    _, requests = read(
        "file,telescope,dz,order,wavelength,telescope.blockage.disc_radius,observing.source_diameter,limits.fewest_good_maps,comment\n"
        'a.fits,apex,"-3mm,0,3mm",5,2mm,0.5m,3arcsec,4,hazy\n'
        "b.fits,,,,,,,,\n"
        "c.fits,,-3mm;3mm,,,,,,\n"
    )
    one, other, third = (request.recipe for request in requests)
    assert (one.telescope, one.reading.defocus_m, one.reading.wavelength_m) == ("apex", (-3e-3, 0.0, 3e-3), 2e-3)
    assert (one.settings.order, one.settings.likelihood, one.settings.limits.fewest_good_maps) == (5, "huber", 4)
    assert (one.overrides, one.reading.observing) == ({"blockage.disc_radius": "0.5m"}, {"source_diameter": "3arcsec"})
    assert other == TEXTS.recipe()
    assert third.reading.defocus_m == (-3e-3, 3e-3)


def test_settings_that_hold_where_nothing_is_said(manifest):
    [request] = read_manifest(manifest("file\na.fits\n"), RecipeTexts(), FitSettings(leave_one_out=True))
    assert request.recipe.settings.leave_one_out


def test_every_other_option_is_a_column(read):
    _, requests = read(
        "file,radius,maps,axes,offsets,parallactic_angle,in_focus,part,frequency\n"
        'a.fits,2arcmin,"1,3",radec,source,35deg,2,2mm,150GHz\n',
        RecipeTexts(wavelength="1mm"),
    )
    reading = requests[0].recipe.reading
    assert reading.maps == (1, 3)
    assert (reading.in_focus, reading.part) == (2, "2mm")
    assert (reading.orientation.axes, reading.orientation.offsets) == ("radec", "source")
    assert reading.wavelength_m == pytest.approx(1.99861639e-3)


def test_files_that_a_row_names_lie_beside_the_manifest(read, text_file, tmp_path):
    text_file("bad.csv", "map,sample\n1,0\n")
    text_file("surface.fits")
    _, requests = read('file,mask,observing.applied\na.fits,bad.csv,surface.fits\nb.fits,,"Z(2,0)=0.3rad"\n')
    assert requests[0].recipe.reading.mask == tmp_path / "bad.csv"
    assert requests[0].recipe.reading.observing == {"applied": str(tmp_path / "surface.fits")}
    assert requests[1].recipe.reading.observing == {"applied": "Z(2,0)=0.3rad"}


def test_rows_of_one_observation(read):
    names, requests = read(
        "observation,file,dz,telescope\n"
        "two,c.fits,-3mm,\none,a.fits,2mm,apex\ntwo,d.fits,3mm,\n,maps/x.txt,,\none,b.fits,0,apex\n"
    )
    assert names == [["c.fits", "d.fits"], ["maps/x.txt"], ["a.fits", "b.fits"]]
    assert [(request.name, request.complete) for request in requests] == [("two", True), (None, False), ("one", True)]
    assert [request.recipe.reading.defocus_m for request in requests] == [(-3e-3, 3e-3), (-1e-3, 1e-3), (2e-3, 0.0)]
    assert requests[2].recipe.telescope == "apex"


def test_an_observation_of_one_row_is_called_what_the_row_says(read):
    names, requests = read("files,name\na.fits;b.fits,Mars at 40 deg\nc.fits,Venus\nd.fits,\n")
    assert names == [["a.fits", "b.fits"], ["c.fits"], ["d.fits"]]
    assert [(request.name, request.complete) for request in requests] == [
        ("Mars at 40 deg", True),
        ("Venus", True),
        (None, False),
    ]
    _, requests = read("file,name,observation\na.fits,Mars,\nb.fits,,Venus\nc.fits,,Venus\n")
    assert [request.name for request in requests] == ["Mars", "Venus"]


def test_what_rows_of_one_observation_say_once_holds_for_all(read):
    _, requests = read(
        'observation,files,dz,parallactic_angle,order\none,a.fits;b.fits,"-3mm,0mm,3mm",10deg,\none,c.fits,,20deg,4\n'
        "two,a.fits,0,5deg,\ntwo,b.fits,0,5deg,\n"
    )
    assert requests[0].recipe.reading.defocus_m == (-3e-3, 0.0, 3e-3)
    assert requests[0].recipe.settings.order == 4
    assert len(requests[0].recipe.reading.orientation.parallactic_angle_rad) == 2
    assert requests[1].recipe.reading.defocus_m == (0.0, 0.0)  # one for each, which the reading refuses
    assert len(requests[1].recipe.reading.orientation.parallactic_angle_rad) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("telescope\njcmt\n", "list.csv: columns = telescope: no column names the files; name one files, or file"),
        ("file,telscope\na.fits,\n", "list.csv: column telscope: is no option and no setting; did you mean telescope?"),
        ("file,seeing\na.fits,1\n", "list.csv: column seeing: is no option and no setting; leave it out"),
        ("file,device\na.fits,\n", "column device: is no option"),
        ("file\n", "list.csv: the table has no rows"),
        ("file,dz\na.fits,\n,3mm\n", "list.csv: line 3, column file, files: no file is named"),
        ("file,files\na.fits,b.fits\n", "list.csv: line 2, column file, files: both are given"),
        ("file\na.fits\nx.fits\n", "line 3, column file = x.fits: there is no such file or folder; check the path"),
        ("files\na.fits;x*.fits\n", "line 2, column files = x*.fits: no file has a name of this form"),
        ("file,dz\na.fits,3\n", "list.csv: line 2, column dz = 3: has no unit"),
        ("file,parallactic_angle\na.fits,3\n", "line 2, column parallactic_angle = 3: has no unit"),
        ("file,in_focus\na.fits,one\n", "line 2, column in_focus = one: is no number of a map; maps count from 1"),
        ("file,order\na.fits,13\n", "list.csv: line 2, column order = 13: must be a whole number from 2 to 12"),
        ("file,telescope\na.fits,jmct\n", "list.csv: line 2, column telescope = 'jmct': is not a known telescope"),
        ("file,telescope.dish\na.fits,3m\n", "line 2, column telescope.dish = 3m: is not a setting of a telescope"),
        ("file,observing.chop\na.fits,3m\n", "line 2, column observing.chop = 3m: is no key of the observing"),
        ("file,limits.x\na.fits,1\n", "line 2, column limits.x = 1: is not a limit"),
        (
            "files,name\na.fits,Mars\nb.fits,\nc.fits,Mars\n",
            "list.csv: line 4, column name = Mars: line 2 calls another observation so; give each a name of its own",
        ),
        (
            "files,name,observation\na.fits,Mars,\nb.fits,,Mars\n",
            "line 2, column name = Mars: the column observation calls another observation so",
        ),
        (
            "files,name,observation\na.fits,Mars,one\n",
            "line 2, column name = Mars: the column observation names it already; leave name empty in this row",
        ),
        ("file,name\n[a-c].fits,Mars\n", "column name = Mars: each of the 3 files stands for itself; name them in a"),
        ("file,mask\na.fits,no.csv\n", "list.csv: line 2, column mask = no.csv: there is no such file; check the path"),
        ("file,observing.applied\na.fits,no.fits\n", "column observing.applied = no.fits: there is no such file"),
        ("file,wavelength,frequency\na.fits,1mm,300GHz\n", "line 2: --wavelength and --frequency are both given"),
        (
            "observation,file,order\none,a.fits,3\ntwo,c.fits,\none,b.fits,4\n",
            "line 4, column order = 4: line 2 of the same observation says 3; say one thing of an observation",
        ),
        (
            "observation,file,dz\none,a.fits,3mm\none,b.fits,\n",
            "line 3, column dz = '': it is empty, and line 2 of the same observation says it; say it in every row",
        ),
    ],
)
def test_a_wrong_row_is_found_before_any_fit(manifest, text, said):
    with pytest.raises(InputError) as caught:
        read_manifest(manifest(text), TEXTS)  # nothing is asked of it yet
    assert said in str(caught.value)


def test_a_file_that_goes_meanwhile_stops_nothing(manifest, tmp_path):
    requests = read_manifest(manifest("file\na.fits\nb.fits\nc.fits\n"), TEXTS)
    (tmp_path / "b.fits").unlink()
    assert [request.files[0].name for request in requests] == ["a.fits", "b.fits", "c.fits"]


def test_rows_that_say_the_same_are_understood_once(manifest, monkeypatch):
    made = []
    original = RecipeTexts.recipe
    monkeypatch.setattr(RecipeTexts, "recipe", lambda self, start=None: made.append(1) or original(self, start))
    rows = "".join(f"a.fits,{order}\n" for order in (3, 4) for _ in range(50))
    requests = list(read_manifest(manifest("file,order\n" + rows), TEXTS))
    assert len(requests) == 100
    assert len(made) == 2
    assert requests[0].recipe is requests[49].recipe


def test_all_that_a_user_names(manifest, tmp_path, text_file):
    listed = manifest("file,order\na.fits,4\n", "run.ecsv.csv")
    text_file("columns.csv", "u,v,power\n0,0,1\n")
    found = list(requests_of([tmp_path / "maps", listed, tmp_path / "columns.csv"], TEXTS))
    assert [request.files[0].name for request in found] == ["a.fits", "x.txt", "columns.csv"]
    assert [request.recipe.settings.order for request in found] == [4, 3, 3]
    assert [is_manifest(tmp_path / name) for name in ("run.ecsv.csv", "columns.csv", "a.fits", "no.csv")] == [
        True,
        False,
        False,
        False,
    ]
    with pytest.raises(UsageError, match="no such file or folder"):
        requests_of([listed, tmp_path / "absent"], TEXTS)
    with pytest.raises(OofError, match="order = 1: must be"):
        requests_of([listed], RecipeTexts(settings={"order": "1"}))


def test_names_of_columns_are_those_of_the_options():
    assert {"telescope", "dz", "in_focus", "parallactic_angle", "order", "likelihood"} <= set(
        manifest_module._plain_columns()
    )
