"""SOAP envelopes of the partner (u) and enterprise (c) API: read loosely, written as the clients expect them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from sandbox.calls import Answer, RefusedCall

_KIND = "text/xml;charset=UTF-8"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An operation with its arguments; `family` is partner or enterprise, names have lost their prefixes."""

    operation: str
    body: ElementTree.Element
    session: str
    organization: str
    family: str


def opened(body: bytes, family: str) -> Envelope:
    """Read an envelope; raises RefusedCall (a SOAP fault) for anything else."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise fault("INVALID_OPERATION", "a document type is not allowed here", family)
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  (nothing to expand: document types are refused above)
    except (ElementTree.ParseError, ValueError) as error:
        raise fault("INVALID_OPERATION", f"not an envelope: {error}", family) from error
    inner = next((child for child in root if local(child) == "Body"), None)
    if local(root) != "Envelope" or inner is None or len(inner) == 0:
        raise fault("INVALID_OPERATION", "not an envelope", family)
    headers = {
        local(found): (found.text or "").strip() for child in root if local(child) == "Header" for found in child.iter()
    }
    return Envelope(
        operation=local(inner[0]),
        body=inner[0],
        session=headers.get("sessionId", ""),
        organization=headers.get("organizationId", ""),
        family=family,
    )


def local(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text(parent: ElementTree.Element, name: str) -> str:
    """Return the text of the first child of this name, or an empty text."""
    return next(((child.text or "").strip() for child in parent if local(child) == name), "")


def texts(parent: ElementTree.Element, name: str) -> list[str]:
    """Return the texts of all children of this name."""
    return [(child.text or "").strip() for child in parent if local(child) == name]


def answered(operation: str, results: Sequence[Mapping[str, Any]], family: str) -> Answer:
    """Return the reply of an operation; each result becomes a `result` element with un-prefixed children."""
    rows = "".join(f"<result>{_children(result)}</result>" for result in results)
    inner = f"<{operation}Response>{rows}</{operation}Response>"
    return Answer(body=_envelope(inner, f'xmlns="urn:{family}.soap.sforce.com"'), kind=_KIND)


def fault(code: str, message: str, family: str, *, kind: str = "UnexpectedErrorFault") -> RefusedCall:
    """Return the fault to raise; the status of a fault is always 500."""
    inner = (
        f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring><detail>"
        f'<sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{escape(message)}</sf:exceptionMessage></sf:{kind}></detail></soapenv:Fault>"
    )
    body = _envelope(inner, f'xmlns:sf="urn:fault.{family}.soap.sforce.com"')
    return RefusedCall(Answer(status=500, body=body, kind=_KIND))


def _envelope(inner: str, names: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        f'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" {names} xmlns:xsi="{_XSI}">'
        f"<soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def _children(values: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in values.items())


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, one) for one in value)
    if isinstance(value, Mapping):
        return f"<{name}>{_children(value)}</{name}>"
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    shown = ("true" if value else "false") if isinstance(value, bool) else escape(str(value))
    return f"<{name}>{shown}</{name}>"
