"""Every way in which a provider goes wrong, by name, and the function that plays it."""

from collections.abc import Awaitable, Callable
from enum import StrEnum

from aiohttp import web

from tests.practice import bad_answers, bad_rows
from tests.practice.plays import Change


class Fault(StrEnum):
    """A way to go wrong; the value is its name at the control endpoint."""

    SERVER_ERROR = "500"
    RATE_LIMITED = "429"
    RATE_LIMITED_UNTIL = "429-date"
    RATE_LIMITED_ABSURDLY = "429-absurd"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    SLOW = "slow"
    HANG = "hang"
    RESET = "reset"
    TRUNCATED = "truncated"
    HTML = "html"
    WRONG_TYPES = "wrong-types"
    WRONG_FIELDS = "wrong-fields"
    GARBAGE_ROWS = "garbage-rows"
    EMPTY = "empty"
    SHRUNK = "shrunk"
    INFLATED = "inflated"
    DUPLICATES = "duplicates"
    REDIRECT = "redirect"
    ENDLESS_REDIRECT = "endless-redirect"
    HUGE = "huge"
    GZIP_BOMB = "gzip-bomb"
    NEVER_ENDING = "never-ending"
    FLAPPING = "flapping"
    WRONG_CHARSET = "wrong-charset"
    INVALID_UTF8 = "invalid-utf8"
    PAGING_LOOP = "paging-loop"
    SAME_PAGE = "same-page"


ROW_FAULTS: dict[Fault, Change] = {
    Fault.GARBAGE_ROWS: bad_rows.garbage,
    Fault.WRONG_FIELDS: bad_rows.wrong_fields,
    Fault.EMPTY: bad_rows.empty,
    Fault.SHRUNK: bad_rows.shrunk,
    Fault.INFLATED: bad_rows.inflated,
    Fault.DUPLICATES: bad_rows.duplicated,
}
"""The faults that change the rows and leave everything else as it is."""


ANSWER_FAULTS: dict[Fault, Callable[[bad_answers.Scene], Awaitable[web.StreamResponse]]] = {
    Fault.SERVER_ERROR: bad_answers.server_error,
    Fault.RATE_LIMITED: bad_answers.rate_limited,
    Fault.RATE_LIMITED_UNTIL: bad_answers.rate_limited_until,
    Fault.RATE_LIMITED_ABSURDLY: bad_answers.rate_limited_absurdly,
    Fault.UNAUTHORIZED: bad_answers.unauthorized,
    Fault.FORBIDDEN: bad_answers.forbidden,
    Fault.SLOW: bad_answers.slow,
    Fault.HANG: bad_answers.hang,
    Fault.RESET: bad_answers.reset,
    Fault.TRUNCATED: bad_answers.truncated,
    Fault.HTML: bad_answers.html,
    Fault.WRONG_TYPES: bad_answers.wrong_types,
    Fault.REDIRECT: bad_answers.redirect,
    Fault.ENDLESS_REDIRECT: bad_answers.endless_redirect,
    Fault.HUGE: bad_answers.huge,
    Fault.GZIP_BOMB: bad_answers.gzip_bomb,
    Fault.NEVER_ENDING: bad_answers.never_ending,
    Fault.FLAPPING: bad_answers.flapping,
    Fault.WRONG_CHARSET: bad_answers.wrong_charset,
    Fault.INVALID_UTF8: bad_answers.invalid_utf8,
    Fault.PAGING_LOOP: bad_answers.paging_loop,
    Fault.SAME_PAGE: bad_answers.same_page,
}
"""The faults that replace or garble the whole answer."""
