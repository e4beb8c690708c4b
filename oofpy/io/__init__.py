"""Reading observations and writing them: one file a format, behind a registry that looks at content."""

from oofpy.io.applied import read_applied as read_applied
from oofpy.io.atomic import atomic_directory as atomic_directory
from oofpy.io.atomic import atomic_file as atomic_file
from oofpy.io.atomic import refuse_existing as refuse_existing
from oofpy.io.formats.oof_fits import write_oof_fits as write_oof_fits
from oofpy.io.formats.pyoof_fits import write_pyoof_fits as write_pyoof_fits
from oofpy.io.observations import read_observation as read_observation
from oofpy.io.observations import read_observations as read_observations
from oofpy.io.observing_keys import apply_observing as apply_observing
from oofpy.io.observing_keys import observing_keys as observing_keys
from oofpy.io.registry import READERS as READERS
from oofpy.io.registry import read_file as read_file
from oofpy.io.sample_mask import read_mask as read_mask
