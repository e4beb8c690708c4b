"""What a page needs of the browser itself: keys, address, title, width, and the name of who sits there."""

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
    "Escape": ("close", "close this help and the message; leave a field"),
}


class Browser(JSComponent):
    """Listens to the keyboard of a browser tab, keeps its address and its title, and remembers the reviewer.

    Keys do what the buttons do, where no text is being written.

    Parameters
    ----------
    press : callable
        Takes what the key does, the first word in `KEYS`.
    query : str
        The address after the question mark; follows the buttons of the browser for back and forward.
    """

    query = param.String(doc="The address after the question mark.")
    title = param.String(doc="What the tab is called.")
    reviewer = param.String(doc="Who decides; kept by the browser for the next time.")
    narrow = param.Boolean(doc="Whether it is the screen of a phone.")
    loaded = param.Boolean(doc="Whether the first page is there.")

    # A browser that keeps nothing, in a private window for example, says so by an exception.
    _esm: ClassVar[str] = """
    const NAME = 'oofpy review: reviewer';
    const recall = () => { try { return window.localStorage.getItem(NAME) || ''; } catch { return ''; } };
    const keep = (name) => { try { window.localStorage.setItem(NAME, name); } catch { } };

    export function render({model}) {
      const pressed = (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
        const target = event.composedPath()[0];
        if (target.matches && target.matches('input:not([type=checkbox]), textarea, select, [contenteditable]')) {
          if (event.key === 'Escape') target.blur();
          return;
        }
        model.send_msg(event.key);
      };
      const here = () => window.location.search.slice(1);
      const moved = () => { model.query = here(); };
      const address = () => window.location.pathname + (model.query ? '?' + model.query : '');
      const write = () => { if (model.query !== here()) window.history.pushState({}, '', address()); };
      const name = () => { document.title = model.title; };
      model.on('query', write);
      model.on('title', name);
      model.on('reviewer', () => keep(model.reviewer));
      document.addEventListener('keydown', pressed);
      window.addEventListener('popstate', moved);
      model.on('remove', () => {
        document.removeEventListener('keydown', pressed);
        window.removeEventListener('popstate', moved);
      });
      name();
      // As it will be written from now on: an address that only differs in its order would count as another one.
      if (model.query !== here()) window.history.replaceState({}, '', address());
      model.narrow = window.matchMedia('(max-width: 640px)').matches;
      if (!model.reviewer) model.reviewer = recall();
      model.loaded = true;
      return document.createElement('span');
    }
    """

    def __init__(self, press: Callable[[str], None], query: str = "") -> None:
        super().__init__(query=query)
        self._press = press

    def _handle_msg(self, key: object) -> None:
        if isinstance(key, str) and key in KEYS:
            self._press(KEYS[key][0])
