import subprocess
import sys

from matplotlib.image import imread

from oofpy.io.results import write_result
from oofpy.plots import write_figures


def test_every_figure_becomes_a_picture(made_result, tmp_path):
    write_figures(made_result, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beams.png", "phase.png", "surface.png"]
    for path in tmp_path.iterdir():
        picture = imread(path)
        assert min(picture.shape[:2]) > 500
        assert picture[..., :3].std() > 0.1


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
