"""The server as a process, spoken to by HTTP."""

import http.client
import logging
import re
import signal
import socket
from dataclasses import replace

import pytest

pytest.importorskip("panel")

from bokeh.util.token import get_session_id, get_token_payload
from tornado.websocket import WebSocketClosedError

from oofpy.catalogue import Catalogue
from oofpy.errors import InputError, UsageError
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.server import Address, ReviewServer, log_in_lines
from tests.made_catalogue import made_catalogue

TOKEN = "open-sesame"
SECRET = "nobody may read this"
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "a" * 22,
}
ROUTES = ("/", "/ws", "/metadata", "/autoload.js", "/components/a/b", "/static", "/nothing")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    place = made_catalogue(tmp_path_factory.mktemp("served") / "results", 20)
    for folder in (place, place.parent):
        (folder / "secret.txt").write_text(SECRET)
    return place


@pytest.fixture(scope="module")
def local(serve, results):
    return serve(results)


@pytest.fixture(scope="module")
def guarded(serve, results):
    return serve(results, environment={"OOFPY_REVIEW_TOKEN": TOKEN})


def ask(served, path, method="GET", body=None, **headers):
    """Status, headers and text of an answer; the path is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Type", "application/x-www-form-urlencoded")
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        text = "" if answer.status == 101 else answer.read().decode("utf-8", "replace")
        return answer.status, answer.headers, text
    finally:
        connection.close()


def ticket(served):
    _, headers, _ = ask(served, f"/?token={TOKEN}")
    return headers["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_needs_the_token(guarded, path):
    status, _, text = ask(guarded, path)
    assert status == 401
    assert 'name="token"' in text
    assert ask(guarded, path, **(UPGRADE if path == "/ws" else {}))[0] == 401
    assert ask(guarded, path, Cookie=ticket(guarded))[0] != 401


def test_the_websocket_needs_the_token_and_a_page_of_this_server(guarded):
    entry, good = ticket(guarded), f"http://127.0.0.1:{guarded.port}"
    assert ask(guarded, "/ws", **UPGRADE, Origin=good)[0] == 401
    assert ask(guarded, "/ws", **UPGRADE, Origin="http://evil.example", Cookie=entry)[0] == 403
    assert ask(guarded, "/ws", **UPGRADE, Origin="null", Cookie=entry)[0] == 403
    assert ask(guarded, "/ws", **UPGRADE, Origin=good, Cookie=entry)[0] == 101


def test_the_token_becomes_a_cookie_that_scripts_and_other_pages_cannot_use(guarded):
    status, headers, text = ask(guarded, f"/?page=trends&token={TOKEN}&object=%22%3E%3Cscript%3E")
    assert status == 200
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(headers["Set-Cookie"].split("; "))
    assert TOKEN not in headers["Set-Cookie"] + text
    assert 'url=/?page=trends&amp;object=%22%3E%3Cscript%3E"' in text


def test_paths_beside_the_page_lead_nowhere_else(guarded):
    _, _, text = ask(guarded, f"//evil.example/?token={TOKEN}")
    assert "evil" not in text


def test_the_token_by_form(guarded):
    status, headers, _ = ask(guarded, "/?sort=rms", "POST", f"token={TOKEN}".encode())
    assert (status, headers["Set-Cookie"].startswith("oofpy-review-")) == (200, True)
    foreign = ask(guarded, "/", "POST", f"token={TOKEN}".encode(), Origin="http://evil.example")
    assert (foreign[0], foreign[1]["Set-Cookie"]) == (403, None)


def test_wrong_tokens_are_refused_and_slowed_down(serve, results):
    served = serve(results, "--token", TOKEN)
    entry = ticket(served)
    answers = [ask(served, f"/?token=wrong{number}") for number in range(6)]
    assert [status for status, _, _ in answers] == [403, 403, 403, 403, 429, 429]
    assert all(headers["Set-Cookie"] is None for _, headers, _ in answers)
    assert int(answers[-1][1]["Retry-After"]) >= 1
    assert ask(served, f"/?token={TOKEN}")[0] == 429  # not even the right one, which would tell the guesser
    assert ask(served, "/metadata", Cookie=entry)[0] == 200


def test_the_printed_address_lets_in_with_any_token(serve, results):
    served = serve(results, "--token", "abc+def&gh12# 34")
    status, headers, _ = ask(served, "/?" + served.address.partition("?")[2])
    assert (status, headers["Set-Cookie"].startswith("oofpy-review-")) == (200, True)


def test_the_page_holds_nothing_of_the_request(guarded):
    """Bokeh writes what it knows of a session into the page, where every script could read it."""
    entry = ticket(guarded)
    _, _, text = ask(guarded, "/", Cookie=entry)
    [token] = re.findall(r'"token":"([^"]+)"', text)
    assert get_session_id(token)
    payload = get_token_payload(token)
    assert payload["cookies"] == payload["headers"] == {}
    assert entry.partition("=")[2] not in text


@pytest.mark.parametrize("path", ["/", "/static/js/bokeh.min.js", "/nothing", "/static/none", "/metadata"])
def test_headers_of_every_answer(local, path):
    _, headers, _ = ask(local, path)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Server"] is None


def test_other_names_are_refused(local):
    for path in ("/", "/static/js/bokeh.min.js", "/ws"):
        status, headers, text = ask(local, path, Host=f"rebound.example:{local.port}")
        assert status == 403
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "not served under this name" in text
    assert ask(local, "/metadata", Host=f"localhost:{local.port}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/catalogue.sqlite",
        "/results/secret.txt",
        "/../secret.txt",
        "/static/../secret.txt",
        "/static/..%2f..%2fsecret.txt",
        "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/{file}",
        "/static/{file}",
        "/static//{file}",
        "/static/extensions/panel/../../../../../../../../../{file}",
        "/static/extensions/panel/%2e%2e/%2e%2e/__init__.py",
        "/static/extensions/{file}",
        "/components/oofpy.review.browser/Browser/../../{file}",
        "/components/{file}",
        "/components/root/os/__file__/x",
        "/%00",
    ],
)
def test_no_file_is_served(local, results, path):
    status, _, text = ask(local, path.format(file=results / "secret.txt"))
    assert status in (400, 403, 404, 500)
    assert SECRET not in text
    assert "Traceback" not in text
    assert str(results) not in text


@pytest.mark.parametrize("folder", ["..", "../outside", "/etc", "linked"])
def test_results_outside_of_the_folder_are_not_read(results, tmp_path, folder):
    (results / "linked").unlink(missing_ok=True)
    (results / "linked").symlink_to(tmp_path)
    with Catalogue.open(results) as catalogue:
        archive = ReviewedArchive(catalogue, results)
        entry = archive.entry("key003")
        with pytest.raises(InputError, match="outside of the folder"):
            archive.result(replace(entry, result=replace(entry.result, folder=folder)))


def test_faults_go_to_the_log_in_one_line(serve, results):
    broken = "from oofpy.review.session import Session; Session.open = lambda *_: {}['a\\nplace']"
    served = serve(results, after=broken)
    _, _, text = ask(served, "/")
    assert "Traceback" not in text
    assert "place" not in text
    assert served.end() == 0
    [line] = served.log.splitlines()
    assert line.startswith("oofpy: error: a page could not do what was asked: KeyError: ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_it_with_connections_open(serve, results, number, code):
    served = serve(results)
    with socket.create_connection(("127.0.0.1", served.port)) as open_connection:
        open_connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert open_connection.recv(100).startswith(b"HTTP/1.1 200")
        assert served.end(number, timeout_s=5) == code
    assert served.log == ("oofpy: error: interrupted\n" if number == signal.SIGINT else "")


def test_other_machines_need_a_token_that_is_made(serve, results):
    served = serve(results, "--host", "0.0.0.0")
    base, _, token = served.address.partition("?token=")
    assert base == f"http://{socket.gethostname()}:{served.port}/"
    assert len(token) >= 32
    assert ask(served, "/")[0] == 401
    assert ask(served, f"/?token={token}")[0] == 200
    assert ask(served, "/", Host="rebound.example")[0] == 403


def test_a_proxy_needs_a_token_as_well(serve, results):
    served = serve(results, "--origin", "https://review.example/", "--origin", "other.example:8443")
    token = served.address.partition("?token=")[2]
    assert token
    _, headers, _ = ask(served, f"/?token={token}", Host="review.example")
    entry = headers["Set-Cookie"].partition(";")[0]
    for origin in ("https://review.example", "https://other.example:8443"):
        assert ask(served, "/ws", **UPGRADE, Origin=origin, Cookie=entry)[0] == 101
    assert ask(served, "/ws", **UPGRADE, Origin="https://other.example", Cookie=entry)[0] == 403


def refused(results, **address):
    with Catalogue.open(results) as catalogue, pytest.raises(UsageError) as caught:
        ReviewServer(ReviewedArchive(catalogue, results), Address(**address))
    return str(caught.value)


def test_addresses_that_cannot_be_had(local, results):
    assert f"--port = {local.port}: is taken" in refused(results, port=local.port)
    assert "--host = 192.0.2.1: is no address of this machine" in refused(results, host="192.0.2.1")
    assert "--host = no.such.name.invalid" in refused(results, host="no.such.name.invalid")
    assert "--token: is too short" in refused(results, token="short")


def test_the_usual_port_or_the_next_one(serve, results):
    first, second = (serve(results, port=None) for _ in range(2))
    assert 5006 <= first.port < second.port < 5106


@pytest.fixture
def own_loggers():
    """Give the loggers back as they were."""
    loggers = [logging.getLogger(name) for name in ("bokeh", "panel", "param", "tornado", "asyncio")]
    before = [(one.handlers[:], one.propagate, one.level) for one in loggers]
    yield
    for one, (handlers, propagate, level) in zip(loggers, before, strict=True):
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


@pytest.mark.usefixtures("own_loggers")
def test_what_is_logged_is_one_line_without_what_says_nothing():
    def record(message, fault=None):
        return logging.LogRecord(
            "bokeh", logging.ERROR, __file__, 1, message, None, fault and (type(fault), fault, None)
        )

    log_in_lines()
    [handler] = logging.getLogger("bokeh").handlers
    assert not handler.filter(record("Task exception was never retrieved", WebSocketClosedError()))
    assert not handler.filter(record("Error thrown from periodic callback:"))
    assert handler.filter(record("refused"))
    traceback = 'Traceback (most recent call last):\n  File "/a/b.py", line 3, in f\n    g()\nValueError: two\nlines\n'
    assert handler.format(record(traceback)) == "oofpy: error: ValueError: two lines (b.py:3)"
    assert handler.format(record("refused\x1b", KeyError("a"))) == "oofpy: error: refused?: KeyError: 'a'"
