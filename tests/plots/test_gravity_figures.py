from oofpy.plots.gravity_figures import write_gravity_figures
from tests.made_gravity import made_fit


def test_figures_of_what_is_known_are_written(tmp_path):
    write_gravity_figures(made_fit(order=2), tmp_path, pdf=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gravity.pdf", "gravity.png"]
    write_gravity_figures(made_fit(order=2, conditions=True), tmp_path)
    assert {"residuals_time.png", "residuals_temperature.png", "residuals_hour_angle.png"} < {
        path.name for path in tmp_path.iterdir()
    }
