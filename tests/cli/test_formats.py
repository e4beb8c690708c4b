import re

from oofpy.io.registry import READERS


def test_every_format_is_listed(run):
    outcome = run("formats")
    assert (outcome.code, outcome.err) == (0, "")
    heading, *lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= 120
    holds, needs = (heading.index(head) for head in ("what a file holds", "to be said beside it"))
    shown = {}
    for line in lines:
        name = line[:holds].strip()
        entry = shown.setdefault(name or list(shown)[-1], [[], []])
        for column, text in zip(entry, (line[holds:needs], line[needs:]), strict=True):
            column.append(text.strip())
    assert list(shown) == [reader.name for reader in READERS]
    for reader in READERS:
        described = [re.sub(r"\s+", " ", " ".join(column)).strip() for column in shown[reader.name]]
        assert described == [reader.description, reader.needs or "-"]
