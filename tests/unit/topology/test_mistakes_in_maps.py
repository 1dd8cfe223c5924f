"""What a route's map and name can be wrong about, each with its message."""

import pytest

from consumer.endpoints.catalogue import APIS
from tests.unit.topology.workshop import Workshop

CHANGED = [
    (
        "from: visits\n    to: crm",
        "from: visit\n    to: crm",
        "routes.looked.from",
        "there is no topic visit; did you mean visits?",
    ),
    (
        "to: stats",
        "to: stat",
        "routes.bought.to",
        "there is no destination stat; did you mean stats?",
    ),
    (
        "crm/events",
        "crm/event",
        "routes.looked.to",
        "crm has no operation event; did you mean events?",
    ),
    (
        "{const: Looked}",
        "{const: Looked, optional: true}",
        "routes.looked.map.name.optional",
        "unknown key; known here: const",
    ),
    (
        "      capturedAt: occurred_at\n",
        "",
        "routes.bought.map.capturedAt",
        "is required by user_analytics and not mapped",
    ),
    (
        "experienceId: where.shop",
        "experienceId: where.shop?",
        "routes.bought.map.experienceId",
        "is required by user_analytics: leave out the ?, or give a default",
    ),
    (
        "userId: who",
        "userID: who",
        "routes.bought.map.userID",
        "user_analytics has no field userID; did you mean userId?",
    ),
    (
        "      userId: who\n",
        "",
        "routes.bought.map",
        "user_analytics would refuse every item: needs one of userId, email, phone, and has none",
    ),
    (
        "{const: viewed}",
        "{const: clicked}",
        "routes.bought.map.action",
        "user_analytics would refuse every item: feature and action are not a registered pair; did you "
        "mean page_visit/viewed?",
    ),
    (
        "{const: viewed}",
        "{const: 5}",
        "routes.bought.map.action",
        "user_analytics would refuse every item: must be a string",
    ),
    (
        "{const: Looked}",
        '{const: ""}',
        "routes.looked.map.name",
        "events would refuse every item: is required and absent or blank",
    ),
    (
        "{const: Looked}",
        "{constant: Looked}",
        "routes.looked.map.name",
        "must be a path, or one of {const: …}, {template: …}, {path: …}, {cel: …}, {object: …}",
    ),
    (
        "{const: Looked}",
        "5",
        "routes.looked.map.name",
        "must be a path, or one of {const: …}, {template: …}, {path: …}, {cel: …}, {object: …}",
    ),
    (
        "{const: Looked}",
        "{const: null}",
        "routes.looked.map.name.const",
        "null is never sent: leave the field out",
    ),
    (
        "{const: Looked}",
        '{template: "Looked {payload.page"}',
        "routes.looked.map.name.template",
        "has a single {: paths stand in {braces}, and a brace itself is written twice",
    ),
    (
        "{const: Looked}",
        "{template: Looked}",
        "routes.looked.map.name.template",
        "has no path in braces: for text that is always the same, write {const: …}",
    ),
    (
        "external_id: who",
        "external_id: who..name",
        "routes.looked.map.external_id",
        "must be a path such as user.email, or user.email? where the value may be absent",
    ),
    (
        "  looked:\n",
        "  'look/ed':\n",
        "routes.look/ed",
        "the name must be up to 64 letters, digits, - and _",
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "text"), CHANGED)
def test_a_mistake_is_one_message_that_names_file_line_and_key(
    workshop: Workshop, old: str, new: str, key: str, text: str
) -> None:
    workshop.change(old, new)

    assert workshop.mistake() == (key, text)


def test_a_destination_with_several_operations_needs_one(workshop: Workshop) -> None:
    workshop.change("crm/events", "crm")
    events = APIS["client_api"]["events"]
    several = {**APIS, "client_api": {"events": events, "devices": events}}

    (finding,) = workshop.findings(catalogue=several)

    assert finding.endswith("routes.looked.to: needs an operation: write crm/ and one of devices, events")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("feature: {const: page_visit}", "feature: where.shop"),
        ("action: {const: viewed}", 'action: {template: "{where.shop}"}'),
        ("capturedAt: occurred_at", 'capturedAt: {template: "{where.shop}"}'),
        ("{const: viewed}", "{const: VIEWED}"),
    ],
)
def test_what_depends_on_the_records_is_not_judged_before_they_come(
    workshop: Workshop, old: str, new: str
) -> None:
    workshop.change(old, new)

    assert len(workshop.load().routes) == 2


def test_pairs_that_the_vendor_has_added_may_be_constants(workshop: Workshop) -> None:
    added = (
        "    credential: env:STATS_KEY\n    operations: {user_analytics: {pairs: {page_visit: [clicked]}}}\n"
    )
    workshop.change("    credential: env:STATS_KEY\n", added)
    workshop.write("t.yaml", (workshop.folder / "t.yaml").read_text().replace("viewed", "clicked"))

    assert len(workshop.load().routes) == 2
