"""Secrets leave texts; what is left is harmless and bounded, whatever came in."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.kit.redact import LONGEST, MASK, fence, redact, redact_json, redact_values

SECRET = "hV7kq2Zr9Tm4Xw8B"
PIECES = st.sampled_from(
    [
        "password=", "Authorization: ", "Bearer ", "basic ", "Cookie: ", "token", "api_key", ":", "=", '"', "'", " ", "\n",
        "://", "@", "/", "ghp_", "sk-", "AKIA", "eyJ", ".", "-----BEGIN RSA PRIVATE KEY-----", MASK, "\x1b[31m", "\x1b",
        "\x00", "\u202e", SECRET, "ABCDEFGH12345678", "; ", "\\", "…",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=25).map("".join))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Basic {SECRET}==",
        f"proxy-authorization: Digest username=x, response={SECRET}",
        f"curl -H 'Authorization: token {SECRET}'",
        f"Cookie: a=b; session={SECRET}",
        f"Set-Cookie: sid={SECRET}; Path=/",
        f"X-Api-Key: {SECRET}",
        f"password={SECRET}",
        f'{{"password": "two words {SECRET}"}}',
        f"DB_PASSWORD='{SECRET}'",
        f"aws_secret_access_key = {SECRET}",
        f"postgresql://user:{SECRET}@db/name",
        f"https://{SECRET}@host/path",
        f"clone https://x-access-token:{SECRET}@host/r.git",
        f"ghp_{SECRET}",
        f"github_pat_{SECRET}",
        f"sk-proj-{SECRET}",
        f"eyJ{SECRET}.{SECRET}.{SECRET}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}",
        f"/path?api_key={SECRET}&x=1",
        f"client_secret: {SECRET}",
    ],
)
def test_secrets_are_masked(text):
    """Every common form in which a secret stands in text."""
    assert SECRET not in redact(text)
    assert MASK in redact(text)


def test_aws_keys_are_masked():
    """Access key ids have a form of their own."""
    assert redact("key AKIAIOSFODNN7EXAMPLE used") == f"key {MASK} used"


@pytest.mark.parametrize(
    "text",
    [
        "GET /predict?symbol=AAPL&horizon=3 200",
        "the token expired: retry later",
        "basic training is over",
        "see http://host/?mail=a@b.c",
        "ValueError: could not convert 'AAPL' to float",
        "authorization failed for user x",
        "commit 3f2c1b4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
    ],
)
def test_ordinary_text_stays(text):
    """What is no secret is not touched."""
    assert redact(text) == text


@settings(deadline=None)
@given(TEXTS)
def test_redaction_is_idempotent(text):
    """Redacted text has nothing more to redact."""
    once = redact(text)
    assert redact(once) == once


@settings(deadline=None)
@given(VALUES)
def test_json_keeps_its_form(value):
    """Any JSON value comes out as one, and a second time the same."""
    once = redact_json(value)
    assert type(once) is type(value)
    assert redact_json(once) == once


def test_a_value_under_a_secret_name_goes_as_a_whole():
    """Whatever its type."""
    assert redact_json({"api_key": [1, 2], "n": 1, "password": "", "nested": {"Authorization": "x"}}) == {
        "api_key": MASK,
        "n": 1,
        "password": "",
        "nested": {"Authorization": MASK},
    }


def test_depth_is_bounded():
    """A value nested deeper than anybody reads is masked, not followed."""
    value = "x"
    for _ in range(5000):
        value = [value]
    flat = redact_json(value)
    for _ in range(64):
        flat = flat[0]
    assert flat == MASK


@settings(deadline=None)
@given(TEXTS, st.integers(min_value=-5, max_value=200))
@example('PASSWORD=0"', 19)  # the mask is cut by one letter
@example("PASSWORD=hunter2", 12)
def test_fenced_text_is_bounded_and_clean(text, limit):
    """Never longer than asked for, never with control or direction characters, and stable."""
    fenced = fence(text, limit)
    assert len(fenced) <= max(0, limit)
    assert not set(fenced) & {
        *map(chr, range(9)),
        "\x0b",
        "\x0c",
        "\r",
        "\x1b",
        "\x7f",
        "\x9b",
        "\u202e",
        "\u200b",
        "\ufeff",
    }
    assert fence(fenced, limit) == fenced


def test_escape_sequences_do_not_hide_a_secret():
    """Colours inside a secret's name are taken out before it is looked for."""
    assert SECRET not in fence(f"pass\x1b[31mword={SECRET}", 200)
    assert fence("\x1b[2J\x1b]0;title\x07red \x1b[31malert", 50) == "red alert"


@pytest.mark.parametrize(
    "piece",
    [
        "-eyJaaaaaaaa",
        "a.",
        "eyJaaaaaaaa.",
        "password",
        "bearer   ",
        "://a",
        "-----BEGIN PRIVATE KEY-----",
        "sk-aaaa ",
        "token: ",
        "\\'",
    ],
)
def test_hostile_text_is_worked_through(piece):
    """A mebibyte of almost-secrets ends: a pattern that backtracks without bound would take hours here."""
    assert len(redact(piece * (LONGEST // len(piece)))) <= LONGEST


def test_labels_keep_their_names_and_lose_their_secrets():
    """A value is masked for what it looks like or for the name it stands under; all others stay."""
    labels = {"alertname": "TokenExpired", "api_token": "x1", "db": "http://bob:pw@host:1", "empty_token": ""}
    assert redact_values(labels) == {
        "alertname": "TokenExpired",
        "api_token": MASK,
        "db": f"http://{MASK}@host:1",
        "empty_token": "",
    }
