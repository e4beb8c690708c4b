import subprocess
import sys

from matplotlib.image import imread

from oofpy.io.results import write_result
from oofpy.plots import FIGURES, write_figures
from oofpy.plots.saving import draw_figures, write_drawn


def test_every_figure_becomes_a_picture(made_result, tmp_path):
    write_figures(made_result, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{kind.name}.png" for kind in FIGURES}
    for path in tmp_path.iterdir():
        picture = imread(path)
        assert min(picture.shape[:2]) > 400
        assert picture[..., :3].std() > 0.05


def test_a_figure_knows_its_size_and_is_written_as_pdf_too(made_result, tmp_path):
    [drawn] = draw_figures(FIGURES[-1:], made_result, pdf=True)
    write_drawn([drawn], tmp_path)
    picture = imread(tmp_path / f"{drawn.name}.png")
    assert picture.shape[:2] == (drawn.height, drawn.width)
    assert (tmp_path / f"{drawn.name}.pdf").read_bytes().startswith(b"%PDF")
    write_drawn([drawn], tmp_path / "pdf", png=False)
    assert [path.suffix for path in (tmp_path / "pdf").iterdir()] == [".pdf"]


def test_what_has_nothing_to_show_is_left_out(named):
    assert draw_figures([kind for kind in FIGURES if kind.name == "left_out"], named(left_out_fits=())) == []


def test_figures_stand_in_the_folder_of_the_result(made_result, tmp_path):
    folder = write_result(made_result, tmp_path, illustrate=write_figures)
    assert {path.suffix for path in folder.iterdir()} == {".fits", ".ecsv", ".json", ".txt", ".png"}


def test_name_in_a_script_the_font_lacks_is_drawn_without_a_warning(named, tmp_path):
    write_figures(named(object_name="木星"), tmp_path)
    assert (tmp_path / "phase.png").is_file()


def test_drawing_needs_no_pyplot_and_importing_no_matplotlib():
    program = (
        "import sys, oofpy.plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
        "from oofpy.plots.frame import drawing_style, colour_map\n"
        "with drawing_style():\n"
        "    colour_map('viridis')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
