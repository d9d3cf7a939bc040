"""What a browser's form says, and who says it."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request

from .access import Caller, Keys, is_form, person, same
from .problems import Problem

MOST_FIELDS = 10
LONGEST = 1_000


class Form:
    """The fields of a form; one that was not sent is empty."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields.get(name, [""])[0]

    def person(self, caller: Caller, keys: Keys) -> str:
        """Who answers: the session's or the token's person, or who shows the token in the form. Raises `Problem`."""
        if caller.form_key is not None:
            self.check_key(caller.form_key)
        if caller.principal is not None:
            return person(caller.principal)
        return self.who_shows_the_token(keys)

    def who_shows_the_token(self, keys: Keys) -> str:
        """The person who entered a right token and a name. Raises `Problem` 401 or 422."""
        if not keys.is_token(self["token"].strip()):
            raise Problem(401, "The token is not known here. `mpa token show` prints the one to enter.")
        return person(self["name"])

    def check_key(self, key: str) -> None:
        """Only our own pages know the session's key. Raises `Problem` 403 for another's form."""
        if not same(self["key"], key):
            raise Problem(403, "This form is not from your session's page. Load the page again, then answer.")


async def read_form(request: Request) -> Form:
    """The request's form, parsed strictly. Raises `Problem` 400, 413 or 415."""
    if not is_form(request.headers.get("content-type", "")):
        raise Problem(415, "This address takes a browser's form; programs send JSON to the routes that /docs lists.")
    try:
        text = (await request.body()).decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Problem(400, "The form cannot be read.") from None
    if any(len(value) > LONGEST for values in fields.values() for value in values):
        raise Problem(413, f"A field of the form is longer than {LONGEST:,} characters.")
    if any(len(values) > 1 for values in fields.values()):
        raise Problem(400, "A field of the form was sent twice.")
    return Form(fields)
