"""The address says what is looked at: whatever it holds, it is read, and it is read again as it was written."""

import dataclasses
import string
from typing import get_args
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.review.choices import FILTERS, Against, Limits, PageName, Removed, Scale
from oofpy.review.view import View, is_text

WORDS = {"page": PageName, "removed": Removed, "scale": Scale, "limits": Limits, "against": Against}
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=200)
keys = st.lists(st.text(string.hexdigits.lower(), min_size=12, max_size=12), max_size=12).map(tuple)
filters = st.dictionaries(st.sampled_from(FILTERS), st.lists(texts, min_size=1, max_size=5).map(tuple))
views = st.builds(
    View,
    filters=filters,
    sort=texts,
    keys=keys,
    order=st.none() | st.integers(0, 10**30),
    quantity=texts,
    **{name: st.sampled_from(get_args(words)) for name, words in WORDS.items()},
)
# Of a server's address anything may come, also what is no text.
anything = st.text(st.characters() | st.sampled_from("&=%,;+?#\0\ud800"), max_size=300)
fields = st.sampled_from([entry.name for entry in dataclasses.fields(View)] + list(FILTERS))


@settings(max_examples=150, deadline=None)
@given(views)
def test_a_view_is_read_again_as_it_was_written(view):
    assert View.of_query(view.query) == view
    assert View.of_query("?" + view.query) == view


def test_what_is_usual_is_not_in_the_address():
    assert View().query == ""
    assert View.of_query("") == View()
    assert View(page="trends", quantity="Z(2,0)").query == "page=trends&quantity=Z%282%2C0%29"


def test_the_order_of_filters_does_not_change_the_address():
    one, other = (View(filters=dict(pairs)) for pairs in ([("name", ("a",)), ("to", ("b",))],) * 2)
    turned = View(filters=dict(reversed(other.filters.items())))
    assert one.query == turned.query


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(fields | anything, anything), max_size=8), anything)
def test_any_address_is_understood_or_left_out(pairs, rest):
    for query in (urlencode(pairs, errors="replace") + "&" + rest, "&".join(f"{name}={text}" for name, text in pairs)):
        view = View.of_query(query)
        assert View.of_query(view.query) == view
        assert set(view.filters) <= set(FILTERS)
        assert all(getattr(view, name) in get_args(words) for name, words in WORDS.items())
        assert all(is_text(text) for texts in view.filters.values() for text in texts)


@pytest.mark.parametrize(
    "query",
    [
        "page=nowhere&removed=all&scale=log&limits=none&against=time",
        "page=TABLE",
        "order=-1&order=1.5&order=x",
        "order=\N{ARABIC-INDIC DIGIT THREE}",
        "order=%2B3",
        "keys=../../etc/passwd,,%00,a%2Fb,<script>",
        "sort=&quantity=&name=&keys=&order=",
        "name=a%00b&sort=%00&quantity=%00",
        "name=\ud800&sort=\ud800",
        "%=%&%zz&=&&&;;=",
        "filters=x&query=y&_pairs=z&__class__=a",
        "?" * 50,
    ],
)
def test_what_is_not_understood_is_left_out(query):
    assert View.of_query(query) == View()


def test_broken_percent_codes_stay_text():
    assert View.of_query("name=%zz%4").filters == {"name": ("%zz%4",)}
    assert View.of_query("name=%ff").filters == {"name": ("\N{REPLACEMENT CHARACTER}",)}


def test_of_what_is_said_twice_the_last_counts():
    assert View.of_query("order=2&order=5&page=trends&page=compare") == View(order=5, page="compare")
    # One of which nothing is known takes nothing away from the page.
    assert View.of_query("flag=misfit&flag=large-rms").filters == {"flag": ("misfit", "large-rms")}


def test_long_addresses_are_cut():
    view = View.of_query("&".join(["name=a", "bogus=b", "flag=c"] * 3000) + "&sort=" + "x" * 10_000)
    assert view.filters["name"] == ("a",) * 50
    assert view.filters["flag"] == ("c",) * 50
    assert view.sort == "x" * 200
    assert View.of_query(view.query) == view


def test_a_huge_number_is_a_number():
    assert View.of_query("order=" + "9" * 5000).order == int("9" * 200)
    assert View.of_query("order=007").order == 7


def test_beginnings_of_keys_are_letters_and_digits():
    assert View.of_query("keys=abc123,%2E%2E,,DEF").keys == ("abc123", "DEF")
    assert View.of_query("keys=" + quote("é1,\u202e2")).keys == ("é1",)


def test_what_is_no_text_does_not_break_the_address():
    view = View(filters={"name": ("a\ud800",)})
    assert view.query == "name=a%3F"
    assert not is_text("a\ud800")
    assert not is_text("\0")
    assert is_text("\N{RIGHT-TO-LEFT OVERRIDE} \n \U0001f4e1")


def test_changed_leaves_the_rest():
    view = View(page="observation", keys=("abc",), scale="linear")
    assert view.changed(order=3) == View(page="observation", keys=("abc",), scale="linear", order=3)
    assert view.order is None
