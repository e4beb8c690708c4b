"""Results reviewed in the browser: a page over a catalogue, for one engineer or for several at once.

`view` says what is looked at, and is the address of the page; `reviewed` is what a session may read and write;
`session` ties both to the pages of `pages`, whose figures, in `figures`, take results and know no page; `server` serves
it and decides who is let in.
"""
