"""The consumer's own command as a module, so that the profiler can be started on it."""

from consumer.cli import main

if __name__ == "__main__":
    main()
