"""Names of the parameters of the beam other than coefficients; without torch, for those that only read settings."""

# Of the illumination; see `oofpy.optics.illumination`.
SHAPE_PARAMETERS = (
    "edge_taper_db",
    "illumination_x_m",
    "illumination_y_m",
    "ellipticity_p",
    "ellipticity_q",
)
# Of the sky's response; see `oofpy.optics.response`.
RESPONSE_PARAMETERS = ("chop_gain_ratio",)
# Of each map.
MAP_PARAMETERS = ("pointing_u_rad", "pointing_v_rad", "defocus_error_m", "lateral_x_m", "lateral_y_m")
