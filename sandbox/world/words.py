"""Titles and sentences: distinct enough that nothing is told twice by accident."""

from __future__ import annotations

import random
from collections.abc import Iterator

_FIRST = (
    "Vel", "Mar", "Tor", "Bri", "Cal", "Dor", "Fen", "Gal", "Hol", "Jun", "Kel", "Lum", "Mer",
    "Nor", "Orl", "Pel", "Quo", "Ras", "Sel", "Tam", "Ulm", "Vor", "Wes", "Xan", "Yar", "Zel",
    "Ald", "Bel", "Cor", "Dan", "Eri", "Fal", "Gor", "Hal", "Ivo", "Jas", "Kor", "Lin", "Mon",
    "Nev",
)  # fmt: skip
_MIDDLE = (
    "ta", "ri", "no", "le", "ma", "vi", "so", "du", "ba", "ce", "fi", "go", "hu", "ju", "ka", "lo",
    "mi", "ne", "pa", "ru", "sa", "te", "va", "wi", "xo", "ya", "zu", "chi", "tho", "bre",
)  # fmt: skip
_LAST = (
    "dex", "ra", "lis", "nova", "mont", "via", "ton", "quil", "sta", "bury", "field", "gate",
    "holm", "mark", "port", "rell", "scape", "stone", "tide", "ward", "well", "wick", "yard",
    "zone", "lane", "loop", "mint", "peak", "pine", "reef", "rise", "rock", "sail", "song", "trail",
    "vale", "view", "wave", "works",
)  # fmt: skip
_BRANDS = len(_FIRST) * len(_MIDDLE) * len(_LAST)
_STRIDES = (7_919, 20_011)  # prime to the number of names
_SEASONS = (
    "spring campaign", "summer campaign", "autumn campaign", "winter campaign", "product launch", "rebrand",
    "loyalty programme", "trade fair", "partner kit", "jubilee", "recruiting drive", "relaunch",
)  # fmt: skip
_PIECES = (
    "landing page", "newsletter", "video cut", "banner set", "price sheet", "store signage", "app teaser",
    "radio spot", "photo shoot", "press folder", "survey form", "checkout texts", "event booth", "brochure",
    "product pages", "onboarding mails", "search ads", "poster series", "case study", "webinar",
)  # fmt: skip

_NEWS = (
    "Client sent {n} remarks on the {thing}, most of them about tone",
    "Legal wants the footnote under {thing} shortened to {n} words",
    "Uploaded version {n} of the {thing}; colours now follow the brand book",
    "The {thing} breaks on narrow screens below {n} pixels, looking into it",
    "Booked {n} slots with the printer in case {thing} slips",
    "Translations for {thing} arrive in {n} languages by {day}",
    "Removed {n} unused pictures, the {thing} loads much quicker",
    "Budget for {thing} raised by {n} hundred after the call with finance",
    "We found {n} broken links while checking the {thing}",
    "Copy deck for {thing} went to proofreading, {n} pages in total",
    "Waiting for the photographer, {thing} cannot move before {day}",
    "Stakeholder meeting about {thing} brought up {n} open questions",
    "Measured {n} percent more clicks after reworking the {thing}",
    "Accessibility check of the {thing} listed {n} contrast problems",
    "Agreed with the agency to drop {n} variants of the {thing}",
    "Tracking codes are in place, {thing} reports into dashboard {n}",
    "Their marketing lead likes route {n} for the {thing} best",
    "Cookie banner hides the {thing} on {n} of our test phones",
    "The vendor delayed delivery, so {thing} lands {day} at the earliest",
    "Font licence covers {n} seats only, which the {thing} exceeds",
    "Rendered a preview of {thing}, file number {n} on the shared drive",
    "Moved the teaser above the fold; see draft {n} for the {thing}",
    "Sales asked whether {thing} could mention the {n} year warranty",
    "Cleaned up the spreadsheet behind {thing}, {n} rows were doubled",
    "Interviewed {n} customers; nobody understood the claim on the {thing}",
    "Hosting contract signed, staging for {thing} runs on machine {n}",
    "Shot list for the {thing} now has {n} scenes, two of them outdoors",
    "Competitor released something similar to our {thing} on {day}",
    "Audio of the {thing} needs another mix, take {n} is too quiet",
    "Form fields on the {thing} were cut down to {n} essentials",
    "Support wants {n} canned answers ready once the {thing} is out",
    "Retargeting audience for {thing} holds {n} thousand profiles",
    "Swapped the hero picture, {thing} looks calmer in draft {n}",
    "Paper samples for the {thing} came in; number {n} feels right",
    "Server logs show {n} timeouts whenever the {thing} is opened",
    "Dealers requested {n} extra copies of the {thing} for {day}",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "next week", "month end", "the 15th")
_ROBOT = (
    "Preview environment rebuilt from the main branch.",
    "Nightly checks passed without warnings.",
    "Deployment 'staging' finished; artefacts expire in thirty days.",
    "Image sizes optimised automatically (lossless).",
)
_HANDING = (
    "Passing this on now, everything we know sits in the brief.",
    "My part is finished; please pick it up from here.",
    "Ready for the next stage as discussed on Tuesday.",
    "All files are in the project folder, yours from now on.",
    "Please continue with this one and shout if something is missing.",
    "From our side complete, so it moves along.",
)
_STATE = (
    "A quick change of state, nothing dramatic.",
    "Setting this straight in the thread as well.",
    "For everybody who only reads mail:",
    "Short note so that the list is right.",
    "Where we stand at the moment:",
    "Just keeping this conversation current.",
)


def brand(number: int) -> str:
    """Name the client of an item: two invented names.

    No two items share the first name up to 46,800, and neighbours in one name are far apart in the other:
    nobody mistakes one title for a misspelling of another.
    """
    return f"{_name((number + 1) * _STRIDES[0])} & {_name((number + 1) * _STRIDES[1] + number // _BRANDS)}"


def _name(place: int) -> str:
    place, last = divmod(place % _BRANDS, len(_LAST))
    first, middle = divmod(place, len(_MIDDLE))
    return _FIRST[first] + _MIDDLE[middle] + _LAST[last]


def title(number: int, rng: random.Random) -> tuple[str, str]:
    """Give the title of an item and the piece of work in it."""
    piece = rng.choice(_PIECES)
    return f"{brand(number)} {rng.choice(_SEASONS)}: {piece}", piece


def respelt(text: str, rng: random.Random) -> str:
    """Write a title the way another tool's people type it: case, punctuation, a plural, a slip."""
    *client, rest = text.split(" ", 3)
    name = " ".join(client)
    how = rng.randrange(4)
    if how == 0:
        return f"{name} {rest.replace(':', ' -')}".title()
    if how == 1:
        return text.lower().replace(":", ",")
    if how == 2:
        return text[:-1] if text.endswith("s") else f"{text}s"
    at = rng.randrange(2, max(3, len(rest) - 2))
    return f"{name} {rest[:at]}{rest[at + 1 : at + 2]}{rest[at : at + 1]}{rest[at + 2 :]}"


def news(thing: str, rng: random.Random) -> Iterator[str]:
    """Tell news about an item for ever; the first 36 never share a sentence."""
    start, step = rng.randrange(len(_NEWS)), rng.choice((5, 7, 11, 13))
    while True:
        sentence = _NEWS[start % len(_NEWS)]
        yield f"{sentence.format(n=rng.randrange(3, 97), thing=thing, day=rng.choice(_DAYS))}."
        start += step


def retold(text: str, turn: int) -> str:
    """Say the same news again, nearly word for word."""
    if turn == 1:
        return f"FYI: {text}"
    return text.rstrip(".").lower().replace(",", "") + "!"


def robot(turn: int) -> str:
    """Give what a robot says; four in turn before one comes again."""
    return _ROBOT[turn % len(_ROBOT)]


def cover_note(turn: int, *, handing: bool) -> str:
    """Give the sentence around a statement in a mail; six in turn before one comes again."""
    notes = _HANDING if handing else _STATE
    return notes[turn % len(notes)]
