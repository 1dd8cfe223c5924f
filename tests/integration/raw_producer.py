"""Records that Python's client cannot produce, written by the C library below it."""

import ctypes
import struct
from pathlib import Path

import confluent_kafka

_TOPIC, _VALUE, _MSGFLAGS, _HEADERS = 1, 4, 7, 10  # rd_kafka_vtype_t of rdkafka.h
_COPY = 2


class _Argument(ctypes.Structure):
    """rd_kafka_vu_t."""

    _fields_ = (("kind", ctypes.c_int), ("what", ctypes.c_uint64 * 8))


def produce_with_raw_header(servers: str, topic: str, name: bytes, value: bytes) -> None:
    """One record with a header of any name. Raises LookupError where the library is not beside the client."""
    packages = Path(confluent_kafka.__file__).parents[1]
    found = [
        *packages.glob("confluent_kafka.libs/librdkafka*"),
        *packages.glob("confluent_kafka/.dylibs/librdkafka*"),
    ]
    if not found:
        raise LookupError("librdkafka is not where the client's wheels have it")
    rd = ctypes.CDLL(str(found[0]))
    for made in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new", "rd_kafka_produceva"):
        getattr(rd, made).restype = ctypes.c_void_p
    error = ctypes.create_string_buffer(512)
    config = ctypes.c_void_p(rd.rd_kafka_conf_new())
    rd.rd_kafka_conf_set(config, b"bootstrap.servers", servers.encode(), error, 512)
    producer = ctypes.c_void_p(rd.rd_kafka_new(0, config, error, 512))
    headers = ctypes.c_void_p(rd.rd_kafka_headers_new(ctypes.c_size_t(1)))
    rd.rd_kafka_header_add(headers, name, ctypes.c_ssize_t(len(name)), b"v", ctypes.c_ssize_t(1))
    there = ctypes.create_string_buffer(topic.encode())
    data = ctypes.create_string_buffer(value)
    arguments = (_Argument * 4)(
        _argument(_TOPIC, struct.pack("P", ctypes.addressof(there))),
        _argument(_MSGFLAGS, struct.pack("i", _COPY)),
        _argument(_VALUE, struct.pack("PN", ctypes.addressof(data), len(value))),
        _argument(_HEADERS, struct.pack("P", headers.value)),
    )
    refused = rd.rd_kafka_produceva(producer, arguments, ctypes.c_size_t(4))
    left = rd.rd_kafka_flush(producer, 30_000)
    rd.rd_kafka_destroy(producer)
    assert refused is None and left == 0


def _argument(kind: int, packed: bytes) -> _Argument:
    argument = _Argument()
    argument.kind = kind
    ctypes.memmove(argument.what, packed, len(packed))
    return argument
