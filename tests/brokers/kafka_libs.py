"""Apache Kafka's jars, fetched once by Maven into a cache folder of the checkout."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_POM = Path(__file__).with_name("kafka-pom.xml")
_CACHE = Path(__file__).parents[2] / ".cache" / "kafka"
_JAVA_NEEDED = 17  # Kafka 4 runs on nothing older
_FETCH_TIMEOUT_S = 600


def java_and_maven_lack() -> str | None:
    """What keeps this machine from running Kafka on Java ("no Java"), or None if nothing does."""
    if shutil.which("java") is None:
        return "no Java"
    version = _java_version()
    if version < _JAVA_NEEDED:
        return f"Java {version} is older than {_JAVA_NEEDED}"
    if shutil.which("mvn") is None and not _libs().is_dir():
        return "no Maven"
    return None


def fetch_kafka_libs() -> Path:
    """The folder of Kafka's jars; blocks for Maven the first time (seconds to minutes).

    Raises `RuntimeError` with the end of Maven's output when it can't fetch them.
    """
    libs = _libs()
    if libs.is_dir():
        return libs
    _CACHE.mkdir(parents=True, exist_ok=True)
    fetched = Path(tempfile.mkdtemp(prefix="fetching-", dir=_CACHE))
    try:
        _copy_dependencies(fetched)
        # Renamed whole: another test run never sees half of it, and of two that fetch at once one wins.
        os.rename(fetched, libs)
    except OSError:
        if not libs.is_dir():
            raise
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
    return libs


def _libs() -> Path:
    return _CACHE / hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]


def _java_version() -> int:
    """The major version of `java` on PATH; 0 if it does not say."""
    said = subprocess.run(
        ["java", "-version"], capture_output=True, text=True, timeout=60, check=False
    ).stderr
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(match[1]) if match else 0


def _copy_dependencies(to: Path) -> None:
    command = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={to}", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"Maven did not fetch Kafka within {_FETCH_TIMEOUT_S} s") from None
    if done.returncode != 0 or not any(to.glob("kafka_*.jar")):
        raise RuntimeError(f"Maven could not fetch Kafka: {(done.stdout + done.stderr).strip()[-600:]}")
