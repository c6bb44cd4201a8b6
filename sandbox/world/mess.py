"""How people really type: slips, short forms, another language, shouting, markup. Text in, text out."""

from __future__ import annotations

import html
import random
from collections.abc import Callable
from datetime import date

Spelling = Callable[[str, random.Random], str]
_SHORT = {
    "campaign": "cmpgn",
    "landing page": "LP",
    "newsletter": "NL",
    "product": "prod.",
    "programme": "prog.",
    "search ads": "SEA",
    "onboarding": "onb.",
    "recruiting": "recr.",
    "launch": "lnch",
    "webinar": "web.",
    "brochure": "broch.",
    "poster": "pstr",
    "survey": "svy",
    "press": "pr.",
    "video": "vid",
    "partner": "ptnr",
}
_GERMAN = {
    "spring campaign": "Frühjahrskampagne",
    "summer campaign": "Sommerkampagne",
    "autumn campaign": "Herbstkampagne",
    "winter campaign": "Winterkampagne",
    "product launch": "Produktstart",
    "loyalty programme": "Treueprogramm",
    "trade fair": "Messe",
    "recruiting drive": "Bewerberaktion",
    "jubilee": "Jubiläum",
    "landing page": "Landingpage",
    "price sheet": "Preisliste",
    "press folder": "Pressemappe",
    "photo shoot": "Fototermin",
    "survey form": "Umfragebogen",
    "event booth": "Messestand",
    "product pages": "Produktseiten",
    "poster series": "Plakatserie",
    "search ads": "Suchanzeigen",
    "case study": "Fallstudie",
}
_EMOJI = ("🚀", "🔥", "✅", "⚠️", "📣", "🎯")
_GREETING = ("Hi all,", "Hallo zusammen,", "fyi -", "Quick one:")


def _slip(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, max(2, len(text) - 2))
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def _dropped(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, max(2, len(text) - 1))
    return text[:at] + text[at + 1 :]


def _loud(text: str, rng: random.Random) -> str:
    del rng
    return text.upper()


def _trailing(text: str, rng: random.Random) -> str:
    return text + " " * rng.randint(1, 3)


def _swapped(text: str, rng: random.Random) -> str:
    """Put the piece of work first: "X & Y spring campaign: video cut" -> "video cut: X & Y spring campaign"."""
    del rng
    before, colon, piece = text.partition(": ")
    return f"{piece}: {before}" if colon else text.title()


def _spelt(words: dict[str, str]) -> Spelling:
    def spelling(text: str, rng: random.Random) -> str:
        known = [word for word in words if word in text]
        if not known:
            return _slip(text, rng)
        word = rng.choice(known)
        return text.replace(word, words[word], 1)

    return spelling


def _decorated(text: str, rng: random.Random) -> str:
    mark = rng.choice(_EMOJI)
    return f"{mark} {text}" if rng.random() < 0.5 else f"{text} {mark}"


def _marked_up(text: str, rng: random.Random) -> str:
    del rng
    return html.escape(text).replace("&amp;", "&amp;amp;", 1) if "&" in text else f"<b>{html.escape(text)}</b>"


# What each degree of untidiness adds to the one before.
_SPELLINGS: tuple[tuple[Spelling, ...], ...] = (
    (),
    (_slip, _dropped, _loud, _trailing, _spelt(_SHORT)),
    (_swapped, _spelt(_GERMAN), _decorated),
    (_marked_up,),
)


def title(text: str, level: int, rng: random.Random) -> str:
    """Type a title as badly as ``level`` (1 to 3) allows: up to that many things go wrong with it."""
    able = [spelling for part in _SPELLINGS[: level + 1] for spelling in part]
    for spelling in rng.sample(able, rng.randint(1, level)):
        text = spelling(text, rng)
    return text


def remark(text: str, level: int, rng: random.Random) -> str:
    """Type a remark: a slip at 1, a greeting or an emoji at 2, markup pasted from elsewhere at 3."""
    how = rng.randrange(level)
    if how == 0:
        return _slip(text, rng)
    if how == 1:
        return f"{rng.choice(_GREETING)} {text} {rng.choice(_EMOJI)}"
    return f"<p>{html.escape(text)}<br/>&nbsp;</p>"


def name(text: str, rng: random.Random) -> str:
    """Spell a person's name as some mail program shows it: surname first, initial only, shouted, without accents."""
    first, _, last = text.partition(" ")
    plain = text.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return rng.choice((f"{last}, {first}", f"{first[:1]}. {last}", text.upper(), plain))


def day(when: date, rng: random.Random) -> str:
    """Write a day as text, as no two people do."""
    return rng.choice(
        (
            f"{when.day}.{when.month}.{when.year}",
            f"{when.month}/{when.day}/{when.year % 100:02d}",
            f"end of week {when.isocalendar().week}",
            f"{when:%b} {when.day}",
            f"{when.isoformat()} (tbc)",
        )
    )


def money(amount: int, rng: random.Random) -> str:
    """Write an amount as text, in one of the partners' currencies."""
    return rng.choice(
        (
            f"€ {amount:,}".replace(",", ".") + ",-",
            f"EUR {amount}",
            f"${amount:,}.00",
            f"{amount / 1000:.1f}k USD",
            f"₹{amount * 90:,}",
        )
    )
