"""What a destination can be wrong about, each with its message."""

import pytest

from tests.unit.topology.workshop import FILE, KEYS, Workshop

CHANGED = [
    (
        "api: distinct",
        "api: distinkt",
        "destinations.stats.api",
        "there is no API distinkt; did you mean distinct?",
    ),
    (
        "    credential: env:STATS_KEY",
        "    credential: env:STATS_KEY\n    batch: {max_bytes: 2MiB}",
        "destinations.stats.batch.max_bytes",
        "is more than distinct takes: at most 1048576 bytes",
    ),
    (
        "    credential: env:CRM_KEY",
        "    credential: pk_5f0e2c77",
        "destinations.crm.credential",
        "must be env:NAME or file:/path: a key itself does not belong into a topology",
    ),
    (
        "    credential: env:CRM_KEY",
        "    credential: env:OTHER_KEY",
        "destinations.crm.credential",
        "OTHER_KEY is not set: set it, or OTHER_KEY_FILE to the path of a file that holds it",
    ),
    (
        "    credential: env:CRM_KEY",
        "    credential: file:/nowhere/key",
        "destinations.crm.credential",
        "the file /nowhere/key does not exist",
    ),
    (
        "https://crm.example",
        "http://crm.example",
        "destinations.crm.base_url",
        "the URL is plain http, which shows the API key to the network: use https, or allow it by "
        "--allow-plain-http",
    ),
    (
        "https://crm.example",
        "https://me:secret@crm.example",
        "destinations.crm.base_url",
        "the URL must not hold a user name or password; credentials have their own setting",
    ),
    (
        "https://crm.example",
        "${CRM_URL}",
        "destinations.crm.base_url",
        "CRM_URL is not set: set it, or write ${CRM_URL:-default}",
    ),
    (
        "https://crm.example",
        "https://${CRM HOST}",
        "destinations.crm.base_url",
        "holds a ${ that is neither ${NAME} nor ${NAME:-default}",
    ),
]

ADDED = [
    (
        "retry: {base_dely: 1s}",
        "destinations.crm.retry.base_dely",
        "unknown key; did you mean base_delay?",
    ),
    (
        "operations: {events: {canonical: true}}",
        "destinations.crm.operations.events.canonical",
        "unknown key; did you mean canonical_ids?",
    ),
    (
        "operations: {event: {}}",
        "destinations.crm.operations.event",
        "client_api has no such operation; did you mean events?",
    ),
    (
        "timeouts: {total: 30}",
        "destinations.crm.timeouts.total",
        "must be a duration such as 500ms, 20s, 20m, 1h or 7d",
    ),
    (
        "timeouts: {connect: 1m}",
        "destinations.crm.timeouts.connect",
        "must be more than nothing and at most the total",
    ),
    (
        "retry: {base_delay: 1m}",
        "destinations.crm.retry.base_delay",
        "must be at most max_delay",
    ),
    (
        "batch: {max_bytes: 512KB}",
        "destinations.crm.batch.max_bytes",
        "must be a size such as 800B, 512KiB or 64MiB",
    ),
    (
        "concurrency: {max: 8}",
        "destinations.crm.concurrency",
        "must be a whole number",
    ),
    (
        "adaptive: sometimes",
        "destinations.crm.adaptive",
        "must be true or false",
    ),
    (
        "rate_per_s: 0",
        "destinations.crm.rate_per_s",
        "must be more than 0",
    ),
    (
        "operations: {events: {max_items: many}}",
        "destinations.crm.operations.events",
        "Expected `int`, got `str` - at `$.max_items`; options are max_items, max_body_bytes, "
        "canonical_ids, max_retry_after_s",
    ),
    (
        "batch: {max_items: 500}",
        "destinations.crm.batch.max_items",
        "is more than client_api takes: at most 100",
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "text"), CHANGED)
def test_a_mistake_is_one_message_that_names_file_line_and_key(
    workshop: Workshop, old: str, new: str, key: str, text: str
) -> None:
    workshop.change(old, new)

    assert workshop.mistake() == (key, text)


@pytest.mark.parametrize(("line", "key", "text"), ADDED)
def test_a_line_that_does_not_belong_is_one_message(
    workshop: Workshop, line: str, key: str, text: str
) -> None:
    workshop.change("    credential: env:CRM_KEY\n", f"    credential: env:CRM_KEY\n    {line}\n")

    assert workshop.mistake() == (key, text)


def test_a_secret_is_not_repeated(workshop: Workshop) -> None:
    workshop.change("credential: env:CRM_KEY", "credential: pk_5f0e2c77")
    assert "5f0e2c77" not in "".join(workshop.findings())

    workshop.change("https://crm.example", "https://me:hunter2@crm.example")
    assert "hunter2" not in "".join(workshop.findings())


def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)

    (finding,) = workshop.findings({**KEYS, "CRM_KEY": "pk\r\nx: y"})

    assert "CRM_KEY must be one line of printable ASCII" in finding
    assert "x: y" not in finding


def test_a_key_given_twice_is_refused(workshop: Workshop) -> None:
    workshop.write("t.yaml", FILE)

    (finding,) = workshop.findings({**KEYS, "CRM_KEY_FILE": "/run/secrets/crm"})

    assert finding.endswith(
        "destinations.crm.credential: both CRM_KEY and CRM_KEY_FILE are set: set one of them"
    )


def test_keys_and_addresses_need_not_be_there_to_look_at_a_plan(workshop: Workshop) -> None:
    workshop.change("https://crm.example", "${CRM_URL}")

    plan = workshop.load({}, resolve=False)

    assert plan.destinations["crm"].base_url == "${CRM_URL}"
    assert plan.destinations["crm"].credential.reference == "env:CRM_KEY"


def test_plain_http_is_for_this_machine_unless_it_is_allowed(workshop: Workshop) -> None:
    workshop.change("https://crm.example", "http://127.0.0.1:8090")
    assert workshop.load().destinations["crm"].base_url == "http://127.0.0.1:8090"

    workshop.change("https://crm.example", "http://crm.example")
    assert workshop.load(allow_plain_http=True).destinations["crm"].base_url == "http://crm.example"
