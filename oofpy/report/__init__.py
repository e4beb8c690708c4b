"""Reports for people: a page of HTML that holds its figures, styled for screen and print, without scripts.

Content is made first, as plain values; templates put it on the page and escape it.
"""

from oofpy.report.fit_report import write_report as write_report
