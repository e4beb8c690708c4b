"""Does an observation make sense for its telescope? Checked before a fit, without one.

`observation_checks` puts the checks together; `focus` judges the paths of dz and of a near source, `response` what the
observing makes of the beam: chopping and the size of the source.

Millimetres where metres belong, gigahertz for hertz, arcseconds for radians: each moves the size of the map
in lambda/D or the defocus path in wavelengths far out of what is ever observed. A little outside is a flag,
far outside a refusal.
"""

from oofpy.plausibility.focus import defocus_path_waves as defocus_path_waves
from oofpy.plausibility.observation_checks import check_observation as check_observation
from oofpy.plausibility.response import APPARENT_DIAMETERS_ARCSEC as APPARENT_DIAMETERS_ARCSEC
from oofpy.plausibility.response import signal_to_noise as signal_to_noise
