"""`KAFKA_PROPERTIES`: what Kafka's own tools write is read the same; nothing is taken for something else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.settings.properties import parse_properties, read_properties


def parsed(text: str) -> dict[str, str]:
    options, _, findings = parse_properties("p", text)
    assert findings == []
    return options


def findings(text: str) -> list[str]:
    return [str(finding) for finding in parse_properties("client.properties", text).findings]


def test_a_usual_file_is_read_whole() -> None:
    text = """\
# comment
! another
security.protocol=SASL_SSL
sasl.mechanism = SCRAM-SHA-512
  sasl.username: svc
sasl.password=p=a:s#s!w ord

ssl.ca.location /etc/ca.pem
"""

    assert parsed(text) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "svc",
        "sasl.password": "p=a:s#s!w ord",
        "ssl.ca.location": "/etc/ca.pem",
    }


def test_a_line_may_go_on() -> None:
    assert parsed("bootstrap.servers=a:9092,\\\n    b:9092,\\\n    c:9092\nclient.id=x\n") == {
        "bootstrap.servers": "a:9092,b:9092,c:9092",
        "client.id": "x",
    }


def test_escapes_are_javas() -> None:
    assert parsed(r"a=back\\slash" + "\n" + r"b=t\tn\nu\u00e9" + "\n" + r"c\=d=\ x\:y\=z") == {
        "a": "back\\slash",
        "b": "t\tn\nué",
        "c=d": " x:y=z",
    }


def test_a_carriage_return_is_no_part_of_a_value() -> None:
    assert parsed("a=b\r\nc=d\r\n") == {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "# x\nsasl.password=pa\\ss\n",
            r"client.properties:2: sasl.password: holds a \ that escapes nothing: write \\ for a backslash",
        ),
        (
            "a=\\u12\n",
            r"client.properties:1: a: holds a \ that escapes nothing: write \\ for a backslash",
        ),
        ("a=1\nb=2\na=3\n", "client.properties:3: a: is set twice"),
        ("security.protocol=\n", "client.properties:1: security.protocol: has no value"),
        ("security.protocol\n", "client.properties:1: security.protocol: has no value"),
        ("=value\n", "client.properties:1: must be a line such as security.protocol=SASL_SSL"),
    ],
)
def test_what_would_be_misread_is_refused_without_the_value(text: str, expected: str) -> None:
    assert findings(text) == [expected]


def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    _, _, (finding,) = read_properties(tmp_path / "nowhere")

    assert str(finding) == f"{tmp_path}/nowhere: the file can't be read: No such file or directory"


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)


@given(st.dictionaries(PRINTABLE, PRINTABLE, max_size=4))
def test_what_is_escaped_as_java_does_comes_back_as_it_was(options: dict[str, str]) -> None:
    def escaped(text: str) -> str:
        return "".join(
            f"\\u{ord(c):04x}" if c.isspace() and c != " " else "\\" + c if c in "\\=:#! " else c
            for c in text
        )

    text = "".join(f"{escaped(key)}={escaped(value)}\n" for key, value in options.items())

    assert parsed(text) == options


@given(st.text(alphabet=st.sampled_from(list("ab=: \\\n#!u0\t")), max_size=40))
def test_no_text_makes_reading_raise(text: str) -> None:
    options, _, found = parse_properties("p", text)

    assert all(options.values())
    assert len(found) <= len(text.splitlines())
