"""The Client API's four operations in a topology: what their options set, and what `check` finds."""

import pytest

from consumer.endpoints.client_alias import ClientAlias
from tests.unit.topology.workshop import FILE, Workshop

MAP = """\
    to: crm/events
    when: {type: Looked}
    map:
      name: {const: Looked}
      external_id: who
      data:
        object:
          page: payload.page
"""
KEY = "    credential: env:CRM_KEY\n"


def test_options_reach_the_operations(workshop: Workshop) -> None:
    alias = "    to: crm/alias\n    map: {anonymous_id: id, external_id: who}\n"
    options = "    operations: {alias: {settle_delay_s: 2.5}, identify: {collapse: 20}}\n"
    workshop.write("t.yaml", FILE.replace(MAP, alias).replace(KEY, KEY + options))

    plan = workshop.load()
    (operation,) = [route.operation for route in plan.routes if route.id == "looked"]

    assert isinstance(operation, ClientAlias)
    assert operation.settle_delay_s == 2.5
    assert plan.destinations["crm"].batch.max_items == 100


@pytest.mark.parametrize(
    ("options", "key", "text"),
    [
        (
            "{alias: {settle_delay: 2}}",
            "destinations.crm.operations.alias.settle_delay",
            "unknown key; did you mean settle_delay_s?",
        ),
        (
            "{alias: {settle_delay_s: -1}}",
            "destinations.crm.operations.alias",
            "Expected `float` >= 0.0 - at `$.settle_delay_s`; options are max_body_bytes, canonical_ids, "
            "max_retry_after_s, settle_delay_s",
        ),
        (
            "{identify: {collapse: all}}",
            "destinations.crm.operations.identify",
            "Expected `int`, got `str` - at `$.collapse`; options are max_body_bytes, canonical_ids, "
            "max_retry_after_s, collapse",
        ),
    ],
)
def test_a_wrong_option_is_one_message(workshop: Workshop, options: str, key: str, text: str) -> None:
    workshop.change(KEY, f"{KEY}    operations: {options}\n")

    assert workshop.mistake() == (key, text)


@pytest.mark.parametrize(
    ("route", "key", "text"),
    [
        (
            "    to: crm\n    map: {external_id: who}\n",
            "routes.looked.to",
            "needs an operation: write crm/ and one of alias, devices, events, identify",
        ),
        (
            "    to: crm/identity\n    map: {external_id: who}\n",
            "routes.looked.to",
            "crm has no operation identity; did you mean identify?",
        ),
        (
            "    to: crm/alias\n    map: {external_id: who}\n",
            "routes.looked.map.anonymous_id",
            "is required by alias and not mapped",
        ),
        (
            "    to: crm/devices\n    map: {external_id: who, device_id: id, os: id, model: id,"
            " app_version: id, app_build: {const: 465}}\n",
            "routes.looked.map.app_build",
            "devices would refuse every item: must be a string",
        ),
        (
            "    to: crm/identify\n    map: {external_id: who, timezone: {const: Springfield}}\n",
            "routes.looked.map.timezone",
            "identify would refuse every item: must be an IANA time zone such as America/Chicago",
        ),
        (
            "    to: crm/identify\n    map: {locale: {const: en}}\n",
            "routes.looked.map",
            "identify would refuse every item: needs one of anonymous_id, external_id, and has none",
        ),
    ],
)
def test_a_route_that_could_send_nothing_is_one_message(
    workshop: Workshop, route: str, key: str, text: str
) -> None:
    workshop.change(MAP, route)

    assert workshop.mistake() == (key, text)


def test_a_time_zone_from_the_records_is_no_mistake(workshop: Workshop) -> None:
    workshop.change(MAP, "    to: crm/identify\n    map: {external_id: who, timezone: id}\n")

    assert len(workshop.load().routes) == 2
