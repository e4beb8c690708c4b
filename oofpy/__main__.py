"""`python -m oofpy` does what `oofpy` does."""

import sys

from oofpy.cli import main

if __name__ == "__main__":
    sys.exit(main())
