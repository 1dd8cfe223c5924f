"""YAML of people, and of people who mean harm: every value has its line, a bad file is one clear message."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.settings.document import parse_document, read_document


def findings(text: str) -> list[str]:
    return [str(finding) for finding in parse_document("f.yaml", text).findings]


def billion_laughs() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (billion_laughs(), "f.yaml:2: an alias (*name) is not allowed: write the value out"),
        ("a: &a\n  b: *a\n", "f.yaml:2: an alias (*name) is not allowed: write the value out"),
        ("a: &b {x: 1}\nc:\n  <<: *b\n", "f.yaml:3: an alias (*name) is not allowed: write the value out"),
        ("x: " + "[" * 100_000, "f.yaml:1: the nesting is deeper than 40 levels"),
        ("x: " + "{a: " * 50, "f.yaml:1: the nesting is deeper than 40 levels"),
        ("a:\n\tb: 1\n", "f.yaml:2: a tab can't indent YAML: use spaces"),
        ("- a\n- b\n", "f.yaml:1: the file must be a mapping of keys to values"),
        ("just text\n", "f.yaml:1: the file must be a mapping of keys to values"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: not valid YAML: but found another document"),
        ("a: [1\nb: 2\n", "f.yaml:2: not valid YAML: expected ',' or ']', but got ':'"),
        ("a: {b: c?}\n", "f.yaml:1: inside brackets, text with a ? must be quoted"),
        ("a: b: c\n", "f.yaml:1: not valid YAML: mapping values are not allowed here"),
        ("a: 1\nb: \x07\n", "f.yaml:2: the file holds a control character that YAML does not allow"),
        ("x: 1\ny:\n  x: 2\n  z: 3\n  x: 4\n", "f.yaml:5: y.x: the key stands here twice, first on line 3"),
        ("a:\n  ? [b]\n  : c\n", "f.yaml:2: a: a key must be plain text"),
        ("a: !!python/tuple [ls]\n", "f.yaml:1: a: the tag !!python/tuple is not allowed"),
        ("a: !secret x\n", "f.yaml:1: a: the tag !secret is not allowed"),
        ("a: !!int many\n", "f.yaml:1: a: the tag !!int is not allowed"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_is_one_message(text: str, expected: str) -> None:
    assert findings(text) == [expected]


def test_values_are_what_they_look_like_and_nothing_else() -> None:
    text = """\
truth: true
no_truth: no
on: off
number: 12
negative: -3
decimal: 0.5
power: 1e3
phone: +14155552671
zip: 01234
long: 12345678901234567890
time: 12:30
date: 2026-04-27
stamp: 2026-04-27T13:35:00Z
hex: 0x10
infinite: .inf
nothing: null
empty:
quoted: "true"
tagged: !!str 5
"""

    assert parse_document("f", text).values == {
        "truth": True,
        "no_truth": "no",
        "on": "off",
        "number": 12,
        "negative": -3,
        "decimal": 0.5,
        "power": 1000.0,
        "phone": "+14155552671",
        "zip": "01234",
        "long": "12345678901234567890",
        "time": "12:30",
        "date": "2026-04-27",
        "stamp": "2026-04-27T13:35:00Z",
        "hex": "0x10",
        "infinite": ".inf",
        "nothing": None,
        "empty": None,
        "quoted": "true",
        "tagged": "5",
    }


def test_every_key_and_item_has_its_line() -> None:
    places = parse_document("f.yaml", "a: 1\nb:\n  c:\n    - x\n    - {d: 2}\n").places

    assert {".".join(map(str, at)): place.line for at, place in places.items()} == {
        "": 1,
        "a": 1,
        "b": 2,
        "b.c": 3,
        "b.c.0": 4,
        "b.c.1": 5,
        "b.c.1.d": 5,
    }


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert parse_document("f", "# nothing\n") == ({}, {(): ("f", 1)}, [])


def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert [str(one) for one in read_document(missing).findings] == [
        f"{missing}: the file can't be read: No such file or directory"
    ]

    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: caf\xe9\n")
    assert [str(one) for one in read_document(latin).findings] == [f"{latin}:2: the file is not UTF-8 text"]

    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * (1024 * 1024 + 1))
    assert [str(one) for one in read_document(huge).findings] == [
        f"{huge}: the file is larger than 1048576 bytes"
    ]


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")

    assert read_document(file).values == {"a": 1}


@given(st.text(alphabet=st.sampled_from(list("ab:-?[]{}&*!|>'\"%@`#, \n\t0.~<")), max_size=60))
def test_no_text_makes_reading_raise(text: str) -> None:
    document = parse_document("f", text)

    assert document.findings or isinstance(document.values, dict)
