"""The command line: one file a command, and the only place that prints.

Loading this package loads no torch, matplotlib or astropy: the commands import what they need when they run.
"""

from oofpy.cli.application import main as main
