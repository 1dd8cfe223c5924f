"""The end of the client: it leaves the group, and may be given an assignment even then."""

from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException

from consumer.kafka.insist import StopAsked


def close(client: Consumer | None, notice: Callable[[str], None]) -> BaseException | None:
    """Close the client, where there is one; gives what its callbacks raised meanwhile and nobody expects.

    Never raises: who waits for the end of the owner thread would wait for ever.
    """
    try:
        if client is not None:
            client.close()
    except StopAsked:
        pass  # An assignment came while we left: nothing of it was begun.
    except (KafkaException, RuntimeError) as error:
        notice(f"leaving the group: {error}")
    except BaseException as error:
        return error
    return None
