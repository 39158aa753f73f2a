"""A release: versions, changelog, commit and tag, on a small repository."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ipch import __version__

ROOT = Path(__file__).resolve().parents[2]
FILES = ("CHANGELOG.md", "CITATION.cff", "host/src/ipch/__init__.py", "firmware/regulator/__init__.py")


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "host" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


release = load("release")


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the files that carry the version, and one unreleased change."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n### Added\n- All of it.\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "A")
    git(tmp_path, "config", "user.email", "a@example.org")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_all_places_have_the_same_version() -> None:
    for name, pattern in release.PLACES.items():
        (found,) = release.re.findall(
            pattern, (ROOT / name).read_text(encoding="utf-8"), release.re.MULTILINE
        )
        assert found == __version__, name
    assert (ROOT / "host/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_a_release_is_committed_and_tagged(checkout: Path) -> None:
    release.release(checkout, "9.2.0", "grep -q 9.2.0 CITATION.cff")
    assert git(checkout, "describe") == "v9.2.0"
    assert git(checkout, "status", "--porcelain") == ""
    assert '__version__ = "9.2.0"' in git(checkout, "show", "HEAD:host/src/ipch/__init__.py")
    changes = (checkout / "CHANGELOG.md").read_text()
    dated = release.re.search(
        r"## Unreleased\n\n## 9\.2\.0 - (\d{4}-\d\d-\d\d)\n\n### Added\n- All of it\.", changes
    )
    assert dated is not None
    assert f"version: 9.2.0\ndate-released: {dated[1]}\n" in (checkout / "CITATION.cff").read_text()


def test_a_check_that_fails_leaves_no_tag_and_is_repeated(checkout: Path) -> None:
    with pytest.raises(release.RefusedError, match="`false` failed"):
        release.release(checkout, "9.2.0", "false")
    assert git(checkout, "tag") == "" and git(checkout, "log", "--format=%s") == "first"
    # The next day; the release has one date.
    changes = checkout / "CHANGELOG.md"
    changes.write_text(release.re.sub(r"9\.2\.0 - \S+", "9.2.0 - 2026-01-31", changes.read_text()))
    release.release(checkout, "9.2.0", "true")
    assert git(checkout, "describe") == "v9.2.0"
    assert changes.read_text().count("## 9.2.0 - ") == 1
    assert "date-released: 2026-01-31\nauthors:" in (checkout / "CITATION.cff").read_text()


def test_what_is_refused(checkout: Path) -> None:
    for version in ("9.2", "v9.2.0", "9.2.0rc1"):
        with pytest.raises(release.RefusedError, match="not a version"):
            release.release(checkout, version, "true")
    release.release(checkout, "9.2.0", "true")
    with pytest.raises(release.RefusedError, match=r"v9\.2\.0 exists"):
        release.release(checkout, "9.2.0", "true")
    with pytest.raises(release.RefusedError, match=r"9\.1\.9 is not newer than 9\.2\.0"):
        release.release(checkout, "9.1.9", "true")
    with pytest.raises(release.RefusedError, match="no changes under"):
        release.release(checkout, "9.3.0", "true")
    (checkout / "mine.txt").write_text("work")
    with pytest.raises(release.RefusedError, match=r"uncommitted changes: mine\.txt"):
        release.release(checkout, "9.4.0", "true")
    assert git(checkout, "describe") == "v9.2.0"


@pytest.mark.parametrize(
    ("origin", "page"),
    [
        ("https://example.org/lab/ipch.git", "https://example.org/lab/ipch"),
        ("git@example.org:lab/ipch.git", "https://example.org/lab/ipch"),
        ("ssh://git@example.org/lab/ipch", "https://example.org/lab/ipch"),
        ("https://user:secret@example.org/lab/ipch", "https://example.org/lab/ipch"),
        ("/home/lab/ipch", None),
        (None, None),
    ],
)
def test_the_address_of_the_repository(checkout: Path, origin: str | None, page: str | None) -> None:
    if origin:
        git(checkout, "remote", "add", "origin", origin)
    assert load("hatch_build")._origin(checkout) == page
