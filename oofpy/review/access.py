"""Who is let in: the names under which the page is served, the token, and what those get who have none."""

from __future__ import annotations

import hmac
import html
import ipaddress
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform, RequestHandler

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# What the libraries bring; the icon is asked for with the page for the token as well.
_ASSETS = ("/static/", "/favicon.ico")
_FREE_ATTEMPTS, _LONGEST_WAIT_S, _MOST_ADDRESSES = 3, 60.0, 10_000

# Bokeh and Panel write scripts and styles into the page, compile templates, and load components from blobs.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders(OutputTransform):
    """Tell browsers what a page may do and who may embed it, with every answer."""

    def transform_first_chunk(
        self,
        status_code: int,
        headers: HTTPHeaders,
        chunk: bytes,
        finishing: bool,  # noqa: ARG002
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add the headers."""
        for name, value in _HEADERS.items():
            headers[name] = value
        headers.pop("Server", None)
        return status_code, headers, chunk


class Hosts:
    """Names under which the page may be asked for.

    A page of somebody else must reach it neither under a name of its own that leads here (DNS rebinding), nor from
    where it came from.

    Parameters
    ----------
    names : iterable of str
        Names and addresses, without port.
    origins : iterable of str
        What browsers see where a proxy stands before the server: a name, with its port unless it is the usual one.
    any_address : bool
        Whether the page is served at every address of this machine: then numbers are good, whatever they are.
    """

    def __init__(self, names: Iterable[str], origins: Iterable[str] = (), any_address: bool = False) -> None:
        self._names = {name.lower() for name in names}
        self._origins = {origin.lower() for origin in origins}
        if self._names & _LOOPBACK_NAMES or any_address:
            self._names |= _LOOPBACK_NAMES
        self._any_address = any_address

    def known(self, host: str) -> bool:
        """Say whether a request may name this host, with or without a port. Of a tunnel the port is another."""
        if host.lower() in self._origins:
            return True
        name = _name_of(host)
        return name in self._names or (self._any_address and _is_number(name))

    def may_connect(self, origin: str, host: str) -> bool:
        """Say whether a page of this origin may connect: that of the host itself, or of a proxy."""
        try:
            where = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        return bool(where) and (where == host.lower() or where in self._origins)


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Attempts:
    """How long those who gave wrong tokens must wait.

    Parameters
    ----------
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until an address may try again; 0 if it may."""
        return max(0.0, self._wrong.get(_network(address), (0, 0.0))[1] - self._clock())

    def failed(self, address: str) -> None:
        """Count a wrong token: after a few every further one doubles the time to wait."""
        network = _network(address)
        count = self._wrong.pop(network, (0, 0.0))[0] + 1
        beyond = count - _FREE_ATTEMPTS
        wait = min(2.0 ** min(beyond, 10), _LONGEST_WAIT_S) if beyond > 0 else 0.0
        self._wrong[network] = (count, self._clock() + wait)
        while len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Forget the wrong tokens of an address."""
        self._wrong.pop(_network(address), None)


def _network(address: str) -> str:
    """What one person may change at will counts as one."""
    if ":" in address and _is_number(address):
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    return address


class Door:
    """Lets those in who may look, and has an answer for the others.

    Parameters
    ----------
    hosts : Hosts
    token : str, optional
        What is asked of everybody; None where all who reach the server may look.
    cookie : str
        Name of the cookie; of servers on one machine each needs its own.
    """

    def __init__(self, hosts: Hosts, token: str | None, cookie: str) -> None:
        self.hosts, self.cookie = hosts, cookie
        self.attempts = Attempts()
        self._token = None if token is None else token.encode()
        # No copy of the token: who finds it out learns nothing that outlives this server.
        self.ticket = secrets.token_urlsafe(32)

    def open_to(self, request: HTTPServerRequest) -> bool:
        """Say whether a request goes through to the page."""
        if self.refusal(request) or request.method == "POST":
            return False
        if request.method in ("GET", "HEAD") and request.path.startswith(_ASSETS):
            return True
        return self.admitted(request) and not (self._token and "token" in request.query_arguments)

    def refusal(self, request: HTTPServerRequest) -> str | None:
        """Say why a request is refused, whoever makes it; None if it is not."""
        if not self.hosts.known(request.host):
            return "This page is not served under this name. It may be added with --origin."
        origin = request.headers.get("Origin")
        upgrade = "websocket" in request.headers.get("Upgrade", "").lower()
        if (
            origin is not None
            and (upgrade or request.method == "POST")
            and not self.hosts.may_connect(origin, request.host)
        ):
            return "Pages of other servers may not connect to this one."
        return None

    def admitted(self, request: HTTPServerRequest) -> bool:
        """Say whether a request comes from somebody who gave the token, or needs not to."""
        if self._token is None:
            return True
        given = request.cookies.get(self.cookie)
        return given is not None and hmac.compare_digest(given.value.encode(), self.ticket.encode())

    def is_token(self, text: str) -> bool:
        """Compare in a time that tells nothing of the token."""
        return self._token is not None and hmac.compare_digest(text.encode("utf-8", "replace"), self._token)


class AtTheDoor(RequestHandler):
    """The answer to all that does not go through: why not, or a field for the token."""

    def initialize(self, door: Door) -> None:
        """Take the door."""
        self._door = door

    def prepare(self) -> None:
        """Answer, whatever the method is."""
        self.set_header("Cache-Control", "no-store")
        refusal = self._door.refusal(self.request)
        if refusal:
            self._tell(403, refusal)
        elif self._door.admitted(self.request):
            self._enter()
        elif given := self.get_body_arguments("token") or self.get_query_arguments("token"):
            self._try(given[-1])
        elif self.request.headers.get("Sec-Fetch-Site") == "cross-site" and self.request.method == "GET":
            # A cookie of this kind is withheld where a link on another page led here, and not when the page asks again.
            self._enter()
        else:
            self._ask(401, "")

    def _try(self, token: str) -> None:
        door, address = self._door, self.request.remote_ip or ""
        wait = door.attempts.wait_s(address)
        if wait > 0:
            seconds = math.ceil(wait)
            self.set_header("Retry-After", str(seconds))
            self._ask(429, f"Too many wrong tokens: try again in {seconds} s.")
        elif door.is_token(token):
            door.attempts.succeeded(address)
            self.set_cookie(door.cookie, door.ticket, path="/", httponly=True, samesite="Strict")
            self._enter()
        else:
            door.attempts.failed(address)
            self._ask(403, "This is not the token.")

    def _enter(self) -> None:
        """Send the browser to the same view, the token gone from the address."""
        pairs = parse_qsl(self.request.query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if name != "token"])
        target = html.escape(f"/?{query}" if query else "/")
        refresh = f'<meta http-equiv="refresh" content="0; url={target}">'
        self._write(200, refresh, f'<p><a href="{target}">Go on to the page</a></p>')

    def _ask(self, status: int, problem: str) -> None:
        said = f'<p role="alert">{html.escape(problem)}</p>' if problem else ""
        form = (
            '<form method="post"><label>Token <input type="password" name="token" autocomplete="off" required '
            "autofocus></label> <button>Open</button></form><p>It is in the address that 'oofpy review' printed.</p>"
        )
        self._write(status, "", said + form)

    def _tell(self, status: int, problem: str) -> None:
        self._write(status, "", f"<p>{html.escape(problem)}</p>")

    def _write(self, status: int, head: str, body: str) -> None:
        self.set_status(status)
        self.finish(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>oofpy review</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}'
            f"<style>{_STYLE}</style></head><body><h1>oofpy review</h1>{body}</body></html>"
        )


_STYLE = (
    "body { font: 14px/1.5 system-ui, sans-serif; color: #1b2430; max-width: 30rem; margin: 3rem auto; }"
    "body { padding: 0 1rem; }"
    "h1 { font-size: 1.2rem; } input, button { font: inherit; padding: .2rem .4rem; } [role=alert] { color: #a01722; }"
)
