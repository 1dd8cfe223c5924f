"""Decoding within a bound."""

import gzip
import tracemalloc
import zlib

import pytest

from consumer.http.bodies import decode_body
from consumer.http.sender import Failure, FailureKind


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " x-gzip "])
def test_gzip_is_decoded(encoding: str) -> None:
    assert decode_body(gzip.compress(b"text"), encoding, 4) == b"text"


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
def test_a_plain_body_stays_as_it_is(encoding: str) -> None:
    assert decode_body(b"text", encoding, 4) == b"text"


def test_a_bomb_is_not_inflated_to_find_out_that_it_is_one() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(20)) + packer.flush()

    tracemalloc.start()
    result = decode_body(bomb, "gzip", 1000)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert isinstance(result, Failure)
    assert result.kind is FailureKind.BODY_TOO_LARGE
    assert peak_bytes < 200_000
