"""What the sender wrote now, without what is quoted from earlier mails. Pure and linear in the text.

Two kinds of cut: a marker after which everything is quoted (reply headers of many clients, forwards), and
lines that are quoted one by one (`>`), after which fresh text may follow. Signatures end the text too.
"""

from __future__ import annotations

import re

#: Longer lines are data, not prose; only their beginning is looked at.
_LOOK = 500

_FROM = "from|von|de|da|od|van|från|fra|отправитель|от|发件人|寄件者|差出人"
_WHEN = (
    "sent|date|gesendet|datum|envoyé|envoyé le|enviado|enviado el|fecha|data|inviato|verzonden|skickat|"
    "sendt|dato|wysłano|отправлено|дата|发送时间|日期|送信日時"
)
_ABOUT = "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|тема|主题|主旨|件名"
_TO = "to|an|à|para|a|aan|till|til|do|кому|收件人|宛先|cc"
_LABELS = {
    family: re.compile(rf"[*_ ]{{0,3}}(?:{words})[*_ ]{{0,3}}\s?[:\uff1a]", re.IGNORECASE)
    for family, words in {"from": _FROM, "when": _WHEN, "about": _ABOUT, "to": _TO}.items()
}

_INTRO = re.compile(
    r"(?:on|am|le|el|op|il|em|den|w dniu|в|le lun|在|于)\b|\d{4}[-/年.]|\d{1,2}[./]\d{1,2}", re.IGNORECASE
)
_WROTE = re.compile(
    r"\b(?:wrote|schrieb|a écrit|escribió|escreveu|schreef|ha scritto|skrev|napisał|napisała|пишет|писал|"
    r"написал)\b|写道|寫道|書きました",
    re.IGNORECASE,
)
_DIVIDER = re.compile(r"-{2,} ?[^-\s].{0,80}[^-\s] ?-{2,}\s*$|_{10,}\s*$", re.IGNORECASE)
_FORWARD = re.compile(r"begin forwarded message|anfang der weitergeleiteten|début du message", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"--\s?$|sent from my |get outlook for |gesendet von mein|von meinem .{1,30} gesendet|"
    r"envoyé de mon |enviado desde mi |enviado do meu |inviato da ",
    re.IGNORECASE,
)
_GREETING = re.compile(r"(?:hi|hello|hey|dear|hallo|liebe[rs]?|bonjour|hola)\b[^.!?:]{0,40}[,!]?$", re.IGNORECASE)
_CLOSING = re.compile(
    r"(?:best|kind|warm|many|mit)?\s*(?:regards|wishes|thanks|thank you|cheers|best|grüße[n]?|cordialement|"
    r"saludos)[,.!]?$",
    re.IGNORECASE,
)


def fresh(text: str) -> str:
    """The part of a plain-text body that its sender wrote for this mail; empty when all is quoted."""
    lines = text.split("\n")
    kept: list[str] = []
    index = 0
    while index < len(lines):
        look = lines[index][:_LOOK].strip()
        if look.startswith((">", "\uff1e")):
            index += 1
            continue
        if _SIGNATURE.match(look) or _DIVIDER.match(look) or _FORWARD.match(look):
            break
        if _starts_header_block(lines, index):
            break
        span = _attribution(lines, index)
        if span:
            following = next((x.strip() for x in lines[index + span :] if x.strip()), "")
            if not following.startswith(">"):
                break
            index += span
            continue
        kept.append(lines[index].rstrip())
        index += 1
    return "\n".join(kept).strip("\n")


def prose(lines: list[str], sender: str = "") -> str:
    """Lines joined without the greeting, the closing and the sender's name below it: the words with the news."""
    body = [line.strip() for line in lines if line.strip()]
    if body and _GREETING.fullmatch(body[0]):
        body = body[1:]
    names = {sender.casefold(), *sender.casefold().split()[:1]}
    while body and (body[-1].strip("-, ").casefold() in names or _CLOSING.fullmatch(body[-1])):
        body.pop()
    return "\n".join(body)


def _starts_header_block(lines: list[str], index: int) -> bool:
    if not any(label.match(lines[index][:_LOOK].strip()) for label in _LABELS.values()):
        return False
    window = [line[:_LOOK].strip() for line in lines[index : index + 4]]
    seen = {family for family, label in _LABELS.items() if any(label.match(line) for line in window)}
    return "from" in seen and bool(seen & {"when", "about"})


def _attribution(lines: list[str], index: int) -> int:
    """How many lines an “On … wrote:” introduction takes here (0: none)."""
    if not _INTRO.match(lines[index][:_LOOK].strip()):
        return 0
    joined = ""
    for count, line in enumerate(lines[index : index + 3], start=1):
        if not line.strip():
            return 0
        joined += " " + line[:_LOOK].strip()
        if joined.endswith((":", "\uff1a")):
            dated = any(c.isdigit() for c in joined) or "@" in joined
            return count if dated and _WROTE.search(joined) else 0
    return 0
