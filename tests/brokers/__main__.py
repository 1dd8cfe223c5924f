"""`python -m tests.brokers`: prints, in one line, where the real broker of a test run will come from.

Fetches what it needs on the way, so that no test's time limit pays for a download. Exit code 0: there is one;
3: there is none, and the line says how to get it; 1: one was given that does not answer.
"""

import sys

from tests.brokers.apicurio import registry_lacks
from tests.brokers.source import NoSource, find_source


def main() -> int:
    try:
        source = find_source()
    except RuntimeError as error:
        print(f"test: {error}", file=sys.stderr)
        return 1
    if isinstance(source, NoSource):
        print(source)
        return 3
    registry_lacks()  # fetched now; what keeps it away, the tests that need it say themselves
    print(source.description)
    return 0


if __name__ == "__main__":
    sys.exit(main())
