"""A real schema registry: Apicurio, which speaks Confluent's API, in a Java process with its data in memory."""

import os
import shutil
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.brokers.kafka_libs import java_and_maven_lack
from tests.brokers.local_kafka import leash
from tests.brokers.ports import free_ports

VERSION = "3.0.9"
"""The last that runs on Java 17."""
_CACHE = Path(__file__).parents[2] / ".cache" / "apicurio"
_ARTIFACT = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
_JVM = ("-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_FETCH_TIMEOUT_S = 600


def registry_lacks() -> str | None:
    """What keeps this machine from running it ("no Java"), or None. Fetches it: may block for a minute."""
    lacks = java_and_maven_lack()
    if lacks is not None:
        return lacks
    try:
        _fetched()
    except RuntimeError as error:
        return str(error)
    return None


class Apicurio:
    """One registry on a free loopback port; `with` ends it and forgets everything. Starting takes some seconds."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="apicurio-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        with tarfile.open(_fetched()) as archive:
            # As an attribute: Pythons before 3.11.4 have no such argument, and later ones want to be told.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(self._home)
        port, management_port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
        with (self._home / "registry.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["java", *_JVM, "-jar", f"apicurio-registry-app-{VERSION}-runner.jar"],
                cwd=self._home,
                env={
                    **{
                        name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ
                    },
                    "APICURIO_STORAGE_KIND": "sql",
                    "QUARKUS_HTTP_HOST": "127.0.0.1",
                    "QUARKUS_HTTP_PORT": str(port),
                    "QUARKUS_MANAGEMENT_HOST": "127.0.0.1",
                    "QUARKUS_MANAGEMENT_PORT": str(management_port),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._leash = leash(self._process.pid)
        try:
            self._wait_until_it_answers(90.0)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it and delete its files."""
        if self._leash is not None:  # first: it may not outlive the pid that it would kill
            self._leash.kill()
            self._leash.communicate()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _wait_until_it_answers(self, timeout_s: float) -> None:
        assert self._process is not None
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/subjects", timeout=2.0) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        tail = (self._home / "registry.log").read_text(errors="replace")[-2_000:]
        raise RuntimeError(f"the schema registry did not start. The end of its log:\n{tail}")


def _fetched() -> Path:
    """The archive, by Maven the first time. Raises RuntimeError with the end of what Maven says."""
    archive = _CACHE / f"apicurio-registry-app-{VERSION}-all.tar.gz"
    if archive.is_file():
        return archive
    folder = _CACHE / f"fetching-{time.monotonic_ns()}"
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={folder}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(
                f"Maven could not fetch the registry: {(done.stdout + done.stderr).strip()[-400:]}"
            )
        # Renamed whole: another test run never sees half of it.
        (folder / archive.name).rename(archive)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise RuntimeError(f"Maven did not fetch the registry: {type(error).__name__}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return archive
