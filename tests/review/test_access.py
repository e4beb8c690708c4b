from types import SimpleNamespace

import pytest

pytest.importorskip("tornado")

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from oofpy.review.access import Attempts, Door, Hosts

HERE = Hosts(["127.0.0.1"])


def request(path="/", method="GET", host="localhost:5006", **headers):
    made = HTTPHeaders({"Host": host, **headers})
    nowhere = SimpleNamespace(context=SimpleNamespace(remote_ip="127.0.0.1", protocol="http"))
    line = RequestStartLine(method, path, "HTTP/1.1")
    return HTTPServerRequest(headers=made, connection=nowhere, start_line=line)


@pytest.mark.parametrize("host", ["localhost:5006", "127.0.0.1", "LOCALHOST:6000", "[::1]:5006"])
def test_names_of_this_machine(host):
    assert HERE.known(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example:5006", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.7:5006", "[::1", ":"]
)
def test_other_names_are_not_known(host):
    assert not HERE.known(host)


def test_a_server_at_every_address_knows_numbers_and_its_own_name():
    hosts = Hosts(["0.0.0.0", "obs"], any_address=True)
    assert all(hosts.known(host) for host in ("10.0.0.7:5006", "[fe80::1]:5006", "obs:5006", "localhost:1"))
    assert not hosts.known("rebound.example:5006")


def test_a_named_address_is_no_name_of_this_machine():
    hosts = Hosts(["10.0.0.7"])
    assert hosts.known("10.0.0.7:5006")
    assert not hosts.known("localhost:5006")


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        ("http://localhost:5006", "localhost:5006", True),
        ("https://review.example", "127.0.0.1:5006", True),
        ("http://localhost:8888", "localhost:5006", False),
        ("http://evil.example", "localhost:5006", False),
        ("http://evil.example", "review.example", False),
        ("https://review.example.evil", "review.example", False),
        ("null", "localhost:5006", False),
        ("http://[::1", "localhost:5006", False),
    ],
)
def test_who_may_connect(origin, host, may):
    hosts = Hosts(["127.0.0.1"], origins=["Review.example"])
    assert hosts.known(host)
    assert hosts.may_connect(origin, host) is may


def test_wrong_tokens_wait_longer_and_longer_by_address():
    now = [100.0]
    attempts = Attempts(lambda: now[0])
    waits = []
    for _ in range(12):
        attempts.failed("10.0.0.1")
        waits.append(attempts.wait_s("10.0.0.1"))
    assert waits[:6] == [0, 0, 0, 2, 4, 8]
    assert waits[-1] == 60
    assert attempts.wait_s("10.0.0.2") == 0
    now[0] += 60
    assert attempts.wait_s("10.0.0.1") == 0
    attempts.failed("10.0.0.1")
    assert attempts.wait_s("10.0.0.1") == 60
    attempts.succeeded("10.0.0.1")
    attempts.failed("10.0.0.1")
    assert attempts.wait_s("10.0.0.1") == 0


def test_neighbours_in_a_network_of_one_person_count_together():
    attempts = Attempts(lambda: 0.0)
    for number in range(4):
        attempts.failed(f"2001:db8::{number}")
    assert attempts.wait_s("2001:db8::ffff") == 2
    assert attempts.wait_s("2001:db8:0:1::1") == 0


def test_without_a_token_all_requests_to_a_known_name_go_through():
    door = Door(HERE, None, "cookie")
    assert door.open_to(request("/?token=whatever"))
    assert not door.open_to(request(host="evil.example"))
    assert not door.open_to(request("/ws", Upgrade="websocket", Origin="http://evil.example"))
    assert door.open_to(request("/ws", Upgrade="websocket", Origin="http://localhost:5006"))


def test_with_a_token_only_assets_and_those_with_the_ticket_go_through():
    door = Door(HERE, "sesame", "cookie")
    for path in ("/", "/ws", "/metadata", "/autoload.js", "/components/a", "/statics", "/x/static/js/bokeh.js"):
        assert not door.open_to(request(path)), path
        assert not door.open_to(request(path, Cookie="cookie=sesame")), path
        assert not door.open_to(request(path, Cookie=f"other={door.ticket}")), path
        assert door.open_to(request(path, Cookie=f"cookie={door.ticket}")), path
    assert door.open_to(request("/static/js/bokeh.min.js"))
    assert not door.open_to(request("/static/js/bokeh.min.js", method="PUT"))


def test_the_token_never_goes_through_in_an_address():
    door = Door(HERE, "sesame", "cookie")
    assert not door.open_to(request("/?token=sesame", Cookie=f"cookie={door.ticket}"))


def test_tokens_of_any_letters():
    door = Door(HERE, "öffne dich; ✓", "cookie")
    assert door.is_token("öffne dich; ✓")
    assert not door.is_token("öffne dich; ")
    assert not door.is_token("")
    assert not door.is_token("\udcff")
    assert not Door(HERE, None, "cookie").is_token("")
