"""A ledger that is not the one the group used: refused, because it does not know what was sent."""

from tests.integration.stage import Stage


def test_another_ledger_is_refused_until_it_is_accepted(stage: Stage) -> None:
    stage.produce_customs("one", "two")
    assert stage.to_the_end().wait() == 0
    stage.produce_customs("three")
    other = f"sqlite:///{stage.folder / 'other.db'}"

    refused = stage.to_the_end(LEDGER_URL=other)

    assert refused.wait() == 4, refused.tail()
    assert "--accept-ledger" in refused.stderr
    assert stage.accepted_ids() == ["one", "two"]
    assert stage.committed == {0: 2}

    accepted = stage.to_the_end("--accept-ledger", LEDGER_URL=other)

    assert accepted.wait() == 0, accepted.tail()
    assert stage.accepted_ids() == ["one", "two", "three"]

    # From now on it is the ledger that was used.
    stage.produce_customs("four")
    again = stage.to_the_end(LEDGER_URL=other)
    assert again.wait() == 0, again.tail()
    assert stage.accepted_ids() == ["one", "two", "three", "four"]


def test_a_ledger_file_that_was_deleted_is_noticed(stage: Stage) -> None:
    stage.produce_customs("one")
    assert stage.to_the_end().wait() == 0
    for file in stage.folder.glob("ledger.db*"):
        file.unlink()
    stage.produce_customs("two")

    refused = stage.to_the_end()

    assert refused.wait() == 4, refused.tail()
    assert stage.accepted_ids() == ["one"]
