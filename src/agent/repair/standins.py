"""Stand-ins for what may belong to a person, before a recorded request is committed to somebody's repository.

Addresses, telephone, card and account numbers are replaced by invented ones of the same form, the same one by the same.
Whether the test still shows the fault is for the judge to see. Names of people have no form that could be recognised.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic import JsonValue

_MAIL = re.compile(
    r"(?:(?<![\w.+%-])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))[\w.+-]{1,64}(?P<at>@|%40)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"
)
_PHONE = re.compile(r"(?:(?<![\w.])\+|(?<=%2[Bb]))\d(?:[ ().-]?\d){7,14}(?![\w.]?\d)")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-]?\d)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")


class StandIns:
    """Replaces consistently, so that an answer that repeats a request's value still does."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def text(self, text: str) -> str:
        """The text with stand-ins."""
        text = _MAIL.sub(lambda found: self._of(found[0], lambda n: f"person{n}{found['at']}example.com"), text)
        text = _IBAN.sub(lambda found: self._of(found[0], lambda n: _digits(found[0], n)), text)
        text = _PHONE.sub(lambda found: self._of(found[0], lambda n: _digits(found[0], n)), text)
        return _CARD.sub(lambda found: self._card(found[0]), text)

    def value(self, value: JsonValue) -> JsonValue:
        """Every string of a JSON value with stand-ins; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, list) else value

    def _card(self, text: str) -> str:
        return self._of(text, lambda n: _digits(text, n)) if _checks(text) else text

    def _of(self, text: str, make: Callable[[int], str]) -> str:
        if text not in self._known:
            self._known[text] = make(len(self._known) + 1)
        return self._known[text]


def _digits(text: str, number: int) -> str:
    """The same form, with zeros and a running number for the digits."""
    room = sum(letter.isdigit() for letter in text)
    digits = iter(str(number).rjust(room, "0")[-room:])
    return "".join(next(digits) if letter.isdigit() else letter for letter in text)


def _checks(text: str) -> bool:
    """The check digit of card numbers (ISO/IEC 7812-1, annex B)."""
    digits = [int(letter) for letter in reversed(text) if letter.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(digits)]
    return sum(doubled) % 10 == 0
