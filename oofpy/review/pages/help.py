"""What the keys do, in words."""

from __future__ import annotations

import html

from oofpy.review.browser import KEYS

HELP = "<h2>Keys</h2><ul class='keys'>{}</ul><p class='note'>They rest while something is being written.</p>".format(
    "".join(f"<li><kbd>{html.escape(key)}</kbd> {words}</li>" for key, (_, words) in KEYS.items())
)
