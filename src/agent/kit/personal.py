"""Personal data out of text that leaves this machine: addresses of people, cards, accounts, telephones, public hosts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

CARD_DIGITS = range(13, 20)
PHONE_DIGITS = range(8, 16)

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?![\w-])")
_CARD = re.compile(r"(?<![\w.])[3-6]\d{3}(?:[ -]?\d){9,15}(?![\w.]\d|\d)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_PHONE = re.compile(r"(?<![\w+.])\+\d{1,3}(?:[ ()./-]{0,2}\d){6,12}(?!\w)")
_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]\d|\w)")
_V6 = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:|:){3,7}[0-9a-fA-F]{0,4}(?![\w:])")


def impersonal(text: str) -> str:
    """The text with what points at a person masked by kind, such as ``[email]``.

    Addresses of private networks stay: they are names of machines here, and a diagnosis needs them.
    """
    text = _EMAIL.sub("[email]", text)
    text = _IBAN.sub(_when(_is_iban, "[iban]"), text)
    text = _CARD.sub(_when(_is_card, "[card]"), text)
    text = _PHONE.sub(_when(_is_phone, "[phone]"), text)
    text = _V4.sub(_when(_is_public, "[address]"), text)
    return _V6.sub(_when(_is_public, "[address]"), text)


def _when(test: Callable[[str], bool], mask: str) -> Callable[[re.Match[str]], str]:
    return lambda match: mask if test(match[0]) else match[0]


def _is_card(text: str) -> bool:
    """Luhn's checksum (ISO/IEC 7812-1)."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[-2::-2]]
    return len(digits) in CARD_DIGITS and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Modulo 97 (ISO 13616)."""
    plain = text.replace(" ", "")
    return int("".join(str(int(each, 36)) for each in plain[4:] + plain[:4])) % 97 == 1


def _is_phone(text: str) -> bool:
    return sum(each.isdigit() for each in text) in PHONE_DIGITS


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False
