import io
import re
import sys

import pytest

from oofpy.cli.messages import Messages


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Make standard error a terminal, from the call on: pytest puts its own back when a test starts."""

    def start():
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return start


def talk(messages):
    messages.say("read [bold]a[/bold]")
    with messages.working("fitting"):
        messages.progress("order 2")
        messages.say("a remark")
        messages.progress("order 3 [/nonsense]")
    messages.record("kept only")
    messages.progress("the end")


def test_plain_lines_where_there_is_no_terminal(capsys):
    talk(Messages(quiet=False))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "read [bold]a[/bold]",
        "order 2",
        "a remark",
        "order 3 [/nonsense]",
        "the end",
    ]


def test_quiet_says_nothing_and_logs_all(capsys):
    messages = Messages(quiet=True)
    talk(messages)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    lines = messages.log.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S", line) for line in lines)
    assert [line.split(" ", 1)[1] for line in lines] == [
        "read [bold]a[/bold]",
        "order 2",
        "a remark",
        "order 3 [/nonsense]",
        "kept only",
        "the end",
    ]


def test_one_moving_line_on_a_terminal(terminal):
    stream = terminal()
    messages = Messages(quiet=False)
    talk(messages)
    shown = stream.getvalue()
    assert "\x1b[" in shown  # the line is drawn over
    assert "read [bold]a[/bold]\n" in shown
    assert "a remark\n" in shown
    assert "order 2\n" not in shown
    assert shown.endswith("the end\n")
    assert "order 3 [/nonsense]" in messages.log


def test_quiet_on_a_terminal(terminal):
    stream = terminal()
    talk(Messages(quiet=True))
    assert stream.getvalue() == ""
