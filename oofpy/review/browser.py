"""What a page needs of the browser itself: its keys, and its address."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import param
from panel.custom import JSComponent

# Key, what it does, and in words.
KEYS: dict[str, tuple[str, str]] = {
    "j": ("next", "next observation"),
    "k": ("previous", "previous observation"),
    "a": ("accept", "accept"),
    "r": ("reject", "reject"),
    "l": ("look", "needs a look"),
    "u": ("undo", "take the decision back"),
    "t": ("table", "the table"),
    "?": ("help", "this help"),
}


class Browser(JSComponent):
    """Listens to the keyboard of a browser tab, and keeps the address of the tab.

    Keys do what the buttons do, where no text is being written.

    Parameters
    ----------
    press : callable
        Takes what the key does, the first word in `KEYS`.
    query : str
        The address after the question mark; follows the buttons of the browser for back and forward.
    """

    query = param.String()

    _esm: ClassVar[str] = """
    export function render({model}) {
      const pressed = (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
        const target = event.composedPath()[0];
        if (target.matches && target.matches('input, textarea, select, [contenteditable]')) return;
        model.send_msg(event.key);
      };
      const here = () => window.location.search.slice(1);
      const moved = () => { model.query = here(); };
      const write = () => {
        if (model.query !== here()) {
          const search = model.query ? '?' + model.query : '';
          window.history.pushState({}, '', window.location.pathname + search);
        }
      };
      model.on('query', write);
      document.addEventListener('keydown', pressed);
      window.addEventListener('popstate', moved);
      model.on('remove', () => {
        document.removeEventListener('keydown', pressed);
        window.removeEventListener('popstate', moved);
      });
      return document.createElement('span');
    }
    """

    def __init__(self, press: Callable[[str], None], query: str = "") -> None:
        super().__init__(query=query)
        self._press = press

    def _handle_msg(self, key: object) -> None:
        if isinstance(key, str) and key in KEYS:
            self._press(KEYS[key][0])
