"""An archive that is reviewed without a server: what is in it, and a session that keeps what it is told."""

import pytest

from oofpy.catalogue import Catalogue
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.session import Session

# What the libraries of the page warn each other of.
LIBRARIES_WARN = [
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


def recorded(catalogue, *outcomes):
    catalogue.record(catalogue.begin_run("oofpy batch", "0.1.0", "telescope-pc"), outcomes)


def archive_of(catalogue, folder, *outcomes):
    folder.mkdir(parents=True, exist_ok=True)
    if outcomes:
        recorded(catalogue, *outcomes)
    return ReviewedArchive(catalogue, folder)


def opened(folder, *outcomes):
    """Make a catalogue in a folder; gives the archive."""
    return archive_of(Catalogue.open(folder, create=True), folder, *outcomes)


class Heard(Session):
    """A session that keeps what the reviewer was told, and what was looked at."""

    def __init__(self, archive):
        self.told, self.seen = [], []
        super().__init__(archive, self.told.append)
        self.listen(self.seen.append)


def closed(archive):
    archive.catalogue.close()


def names(rows):
    return [row.name for row in rows]
