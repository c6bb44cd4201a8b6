import pytest

from connectors.references import find, find_in_field, normalise


@pytest.mark.parametrize(
    ("written", "token"),
    [
        ("acme-12", "ACME-12"),
        (" ACME-12 ", "ACME-12"),
        ("[ACME-12]", "ACME-12"),
        ("https://acme.atlassian.net/browse/acme-12?focusedId=1", "ACME-12"),
        ("http://127.0.0.1:4100/browse/ACME-12", "ACME-12"),
        ("500000000000001AAA", "500000000000001"),
        ("500000000000001", "500000000000001"),
        ("a0B1x00000AbCdEEAV", "a0B1x00000AbCdE"),  # check characters are right: a custom object's id
        ("abcdefghijklmnopqr", "abcdefghijklmnopqr"),  # 18 letters, not an id
        ("https://acme.lightning.force.com/lightning/r/Case/500000000000001AAA/view", "500000000000001"),
        ("https://acme.my.salesforce.com/0060000000000Ab", "0060000000000Ab"),
        ("https://airtable.com/appHandoffHub0001/tblItems0000000001/recAAAAAAAAAAAAAA", "recAAAAAAAAAAAAAA"),
        ("<root.1@mail.example>", "root.1@mail.example"),
        ("Case 731", "Case 731"),
        ("https://example.org/about", "https://example.org/about"),
    ],
)
def test_every_spelling_of_a_name_becomes_one_token(written, token):
    assert normalise(written) == token
    assert normalise(normalise(written)) == token


def test_text_names_records_of_every_tool_once_and_in_order():
    text = (
        "See ACME-12 and https://acme.atlassian.net/browse/ACME-12, then (500000000000001AAA).\n"
        "Base: https://airtable.com/appX/tblY/recBBBBBBBBBBBBBB?blocks=hide and "
        "<https://acme.lightning.force.com/lightning/r/Opportunity/006000000000009AAA/view>.\n"
        "In-Reply-To: <root.1@mail.example>\nRe: [Case 731] Landing page"
    )
    assert find(text) == (
        "ACME-12",
        "500000000000001",
        "recBBBBBBBBBBBBBB",
        "006000000000009",
        "root.1@mail.example",
        "Case 731",
    )


def test_a_bracket_gives_the_key_inside_it_or_itself_as_a_whole():
    assert find("[acme-12] [case-10011] [see ACME-3, please] [Case  7]") == (
        "ACME-12",
        "CASE-10011",
        "ACME-3",
        "Case 7",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing here, covid-19 aside",
        "Owner: Ada Lovelace <ada@acme.example>",
        "[EXTERNAL] hello",
        "[caption 2](https://example.org)",
        "XACME-12abc",
        "001-12345 is a phone number",
    ],
)
def test_text_that_only_looks_like_a_reference_names_nothing(text):
    assert find(text) == ()


def test_a_reference_field_may_hold_an_opaque_number():
    assert find_in_field("4711/A") == ("4711/A",)
    assert find_in_field("acme-12") == ("ACME-12",)
    assert find_in_field("see ACME-12 please") == ("ACME-12",)
    assert find_in_field("two words") == ()
    assert find_in_field("  ") == ()
