"""What the keys do, in words."""

from __future__ import annotations

import html

from oofpy.review.browser import KEYS

HELP = "<table>{}</table>".format(
    "".join(f"<tr><td><kbd>{html.escape(key)}</kbd></td><td>{words}</td></tr>" for key, (_, words) in KEYS.items())
)
