"""The catalogue of an archive: its observations, what came of their fits, and what reviewers decided.

`records` says what is held, `from_results` takes it from observations and results, `schema` says in which tables,
`migrations` how an older one is brought up to date, `engine` how a database is reached, `recording` and `selecting` how
it is written and read, `superseding` which observations have given way to others, `catalogue` is the one door to all of
it, `export` writes tables of it.

The database library is imported when a catalogue is opened, so that importing this package stays light.
"""

from typing import TYPE_CHECKING, Any

from oofpy.catalogue.from_results import content_hash as content_hash
from oofpy.catalogue.from_results import observation_record as observation_record
from oofpy.catalogue.from_results import record_of as record_of
from oofpy.catalogue.records import DECISIONS as DECISIONS
from oofpy.catalogue.records import STATUSES as STATUSES
from oofpy.catalogue.records import VERDICTS as VERDICTS
from oofpy.catalogue.records import CatalogueEntry as CatalogueEntry
from oofpy.catalogue.records import CoefficientRecord as CoefficientRecord
from oofpy.catalogue.records import DecisionRecord as DecisionRecord
from oofpy.catalogue.records import Filter as Filter
from oofpy.catalogue.records import FlagRecord as FlagRecord
from oofpy.catalogue.records import KnownResult as KnownResult
from oofpy.catalogue.records import ObservationRecord as ObservationRecord
from oofpy.catalogue.records import ObservationRow as ObservationRow
from oofpy.catalogue.records import OrderRecord as OrderRecord
from oofpy.catalogue.records import Outcome as Outcome
from oofpy.catalogue.records import ResultRecord as ResultRecord
from oofpy.catalogue.records import parsed_date as parsed_date

if TYPE_CHECKING:
    from oofpy.catalogue.catalogue import Catalogue as Catalogue


def __getattr__(name: str) -> Any:
    if name == "Catalogue":
        from oofpy.catalogue.catalogue import Catalogue

        return Catalogue
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
