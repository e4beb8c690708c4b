"""The page in a browser, served by the command."""

from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import expect

from oofpy.catalogue import Catalogue


def shown(visit, url, window="wide"):
    """Open an address, and wait for the page."""
    seen = visit(url, window)
    seen.page.locator(".page").wait_for()
    return seen


def test_an_empty_catalogue(serve, visit, kept, tmp_path):
    Catalogue.open(tmp_path, create=True).close()
    served = serve(tmp_path)
    seen = shown(visit, served.url)
    seen.page.get_by_role("button", name="Trends").click()
    seen.page.wait_for_url("**/?page=trends")
    seen.page.get_by_role("button", name="Observations").click()
    seen.page.wait_for_url(served.url)
    seen.page.screenshot(path=kept / "review-empty.png")
    assert served.log == ""


def test_no_request_leaves_the_machine(many, visit):
    seen = shown(visit, many.address(page="trends"))
    seen.page.get_by_role("button", name="Observations").click()
    seen.page.wait_for_url(many.served.url)
    where = {urlsplit(url).netloc for url in seen.requests if not url.startswith(("data:", "blob:"))}
    assert where == {f"127.0.0.1:{many.served.port}"}
    assert any(url.startswith("ws:") for url in seen.requests)


def test_a_token_is_asked_for_once(serve, visit, kept, tmp_path):
    Catalogue.open(tmp_path, create=True).close()
    served = serve(tmp_path, "--token", "open; sesame ü")
    seen = visit(f"{served.url}?page=trends&sort=rms", expected=("401", "403"))
    field = seen.page.get_by_label("Token")
    field.fill("wrong token")
    seen.page.get_by_role("button", name="Open").click()
    seen.page.get_by_text("This is not the token.").wait_for()
    seen.page.screenshot(path=kept / "review-token.png")
    field.fill("open; sesame ü")
    seen.page.get_by_role("button", name="Open").click()
    seen.page.locator(".page").wait_for()
    assert dict(parse_qsl(urlsplit(seen.page.url).query)) == {"page": "trends", "sort": "rms"}
    seen.page.reload()
    seen.page.locator(".page").wait_for()
    assert seen.page.evaluate("document.cookie") == ""


def test_the_token_vanishes_from_the_address(serve, visit, tmp_path):
    Catalogue.open(tmp_path, create=True).close()
    served = serve(tmp_path, "--token", "open-sesame")
    seen = visit(f"{served.url}?token=open-sesame&page=trends")
    seen.page.locator(".page").wait_for()
    assert seen.page.url == f"{served.url}?page=trends"


def test_ends_with_a_page_open(serve, visit, tmp_path):
    Catalogue.open(tmp_path, create=True).close()
    served = serve(tmp_path)
    seen = visit(served.url, expected=("WebSocket", "ERR_CONNECTION_REFUSED", "Lost websocket"))
    seen.page.locator(".page").wait_for()
    assert served.end(timeout_s=5) == 0
    assert served.log == ""


def test_no_traceback_reaches_the_browser(serve, visit, tmp_path):
    """Neither of what a button did, nor of what is done every few seconds."""
    Catalogue.open(tmp_path, create=True).close()
    broken = """from oofpy.review.application import Application
from oofpy.review.session import Session
def fail(*_, **__): raise RuntimeError("in two\\nlines")
Session.go = Application.poll = fail"""
    served = serve(tmp_path, after=broken)
    frames = []
    seen = visit("about:blank")
    seen.page.on("websocket", lambda one: one.on("framereceived", lambda frame: frames.append(str(frame))))
    seen.page.goto(served.url)
    seen.page.get_by_role("button", name="Trends").click()
    expect(seen.page.get_by_role("alert")).to_have_text("this could not be done; the log of the server says why")
    while len(served.log.splitlines()) < 2:
        seen.page.wait_for_timeout(100)
    assert frames
    assert not any("Traceback" in frame or "in two" in frame for frame in frames)
    for line in served.log.splitlines():
        assert line.startswith("oofpy: error: ")
        assert "RuntimeError: in two lines (" in line
