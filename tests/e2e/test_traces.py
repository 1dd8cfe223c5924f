"""A sampled event can be followed from its producer to the acknowledgement, the commit or the dead letter."""

from consumer.sandbox.simulator.outage import Outage
from tests.e2e.collector import CLIENT, CONSUMER, PRODUCER, CollectedSpan, Collector
from tests.e2e.people import Person
from tests.e2e.produced import Context, produce_traced
from tests.e2e.recorder import Recorder
from tests.integration.processes import ConsumerProcess
from tests.integration.stage import Stage


def traced(stage: Stage, collector: Collector, **settings: str) -> ConsumerProcess:
    """A run to the end that follows producers and samples nothing else."""
    tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_TRACES_SAMPLER_ARG": "0"}
    consumer = stage.to_the_end(topology=None, **tracing, **settings)
    assert consumer.wait() == 0, consumer.tail()
    return consumer


def test_a_producers_span_leads_to_process_post_and_commit(
    stage: Stage, person: Person, collector: Collector
) -> None:
    first, second, quiet = Context.new(), Context.new(), Context.new(sampled=False)
    records = [
        (person.engaged("e-1"), first),
        (person.did("e-2"), None),
        (person.did("e-3"), second),
        (person.did("e-4"), quiet),
    ]
    produce_traced(stage, records)

    with Recorder() as recorder:
        traced(stage, collector, DISTINCT_BASE_URL=recorder.base_url, CLIENT_API_BASE_URL=recorder.base_url)

    (process,) = collector.named(f"process {stage.topic}")
    assert process.kind == CONSUMER
    assert process.links == (first.ids, second.ids)
    assert process.attributes["messaging.system"] == "kafka"
    assert process.attributes["messaging.operation.type"] == "process"
    assert process.attributes["messaging.destination.name"] == stage.topic
    assert process.attributes["messaging.destination.partition.id"] == "0"
    assert process.attributes["messaging.consumer.group.name"] == stage.group
    assert process.attributes["messaging.batch.message_count"] == 4
    assert process.attributes["messaging.kafka.offset"] == 0
    assert len(process.attributes["distinct_consumer.topology.version"]) == 12

    posts = {post.attributes["distinct_consumer.destination"]: post for post in collector.named("POST")}
    statuses = {name: post.attributes["http.response.status_code"] for name, post in posts.items()}
    assert statuses == {"user-analytics": 200, "client": 204}
    for post in posts.values():
        assert (post.kind, post.parent_id, post.trace_id) == (CLIENT, process.span_id, process.trace_id)
        assert post.attributes["http.request.method"] == "POST"
        assert (
            f"http://{post.attributes['server.address']}:{post.attributes['server.port']}"
            == recorder.base_url
        )
        assert not post.failed
    seen_by_the_receiver = {
        tuple(headers["traceparent"].split("-")[1:3]): int(headers["traceparent"][-2:], 16) & 1
        for _, headers, _ in recorder.requests
    }
    assert seen_by_the_receiver == {post.context: 1 for post in posts.values()}

    commits = collector.named(f"commit {stage.topic}")
    assert commits
    assert all(commit.kind == CLIENT for commit in commits)
    assert {link for commit in commits for link in commit.links} == {process.context}
    for secret in (b"/api/", b"/v1", b"distinct-key", b"pk_client", b"user-1"):
        assert secret not in collector.raw


def test_each_attempt_is_a_span_of_its_own(stage: Stage, person: Person, collector: Collector) -> None:
    stage.receiver.remote.declare({"client_api": Outage(status=503, count=2)})
    produce_traced(stage, [(person.did("e-1"), Context.new())])

    traced(stage, collector)

    posts = sorted(
        collector.named("POST"), key=lambda post: post.attributes.get("http.request.resend_count", 0)
    )
    assert [_attempt(post) for post in posts] == [
        (0, 503, True),
        (1, 503, True),
        (2, 204, False),
    ]


def test_a_dead_letter_carries_its_send_span_behind_the_producers(
    stage: Stage, person: Person, collector: Collector
) -> None:
    context = Context.new()
    produce_traced(stage, [(b"no Avro at all", context)])

    traced(stage, collector)

    (process,) = collector.named(f"process {stage.topic}")
    (send,) = collector.named(f"send {stage.letters}")
    assert (send.kind, send.parent_id, send.trace_id) == (PRODUCER, process.span_id, process.trace_id)
    assert send.attributes["messaging.destination.name"] == stage.letters
    (letter,) = stage.read_letters()
    assert letter.headers[:2] == (("source", b"the-app"), context.header)
    own = (letter.header("traceparent") or b"").decode().split("-")
    assert (own[1], own[2], int(own[3], 16) & 1) == (*send.context, 1)


def test_unsampled_producers_cost_no_span_and_no_header(
    stage: Stage, person: Person, collector: Collector
) -> None:
    values = [person.engaged(f"e-{number}") for number in range(5)] + [b"no Avro at all"]
    produce_traced(stage, [(value, Context.new(sampled=False)) for value in values])

    with Recorder() as recorder:
        traced(stage, collector, DISTINCT_BASE_URL=recorder.base_url, CLIENT_API_BASE_URL=recorder.base_url)

    assert collector.spans == []
    assert len(recorder.requests) > 1
    assert not any("traceparent" in headers for _, headers, _ in recorder.requests)
    (letter,) = stage.read_letters()
    assert [name for name, _ in letter.headers].count("traceparent") == 1


def test_a_collector_that_is_down_changes_nothing_but_a_count(stage: Stage, person: Person) -> None:
    produce_traced(stage, [(person.did("e-1"), Context.new())])

    consumer = stage.to_the_end(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert consumer.wait() == 0, consumer.tail()
    assert stage.accepted_ids() == ["e-1"]


def _attempt(post: CollectedSpan) -> tuple[int, int, bool]:
    resends = post.attributes.get("http.request.resend_count", 0)
    return resends, post.attributes["http.response.status_code"], post.failed
