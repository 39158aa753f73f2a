"""Make a release: `make release VERSION=0.2.0`.

Sets the version everywhere, dates changelog and citation, runs the checks, commits, and tags last. Nothing is pushed.
After a failure run it again: what is done already stays.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Each file with the pattern whose first group is the version.
PLACES = {
    "host/src/ipch/__init__.py": r'^__version__ = "(.+)"$',
    "firmware/regulator/__init__.py": r'^VERSION = "(.+)"$',
    "CITATION.cff": r"^version: (.+)$",
}
_CHANGELOG = "CHANGELOG.md"


class RefusedError(Exception):
    """Why no release is made."""


def main() -> int:
    """Make the release; return the exit code."""
    parser = argparse.ArgumentParser(description="Make a release: versions, checks, build, commit, tag.")
    parser.add_argument("version", help="as 0.2.0")
    parser.add_argument(
        "--check",
        default="make test test-long docs wheel",
        help="command that must succeed before the commit",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    wanted = parser.parse_args()
    try:
        release(wanted.root, wanted.version, wanted.check)
    except RefusedError as reason:
        print(f"release: {reason}", file=sys.stderr)
        return 1
    return 0


def release(root: Path, version: str, check: str) -> None:
    """Raises RefusedError; the tag is the last thing that is made."""
    if re.fullmatch(r"\d+\.\d+\.\d+", version) is None:
        raise RefusedError(f"not a version: {version!r}; allowed are three numbers, such as 0.2.0")
    tag = f"v{version}"
    if _git(root, "tag", "--list", tag):
        raise RefusedError(f"{tag} exists: a tagged version is never changed; choose the next one")
    touched = {*PLACES, _CHANGELOG}
    others = [
        line[3:] for line in _git(root, "status", "--porcelain").splitlines() if line[3:] not in touched
    ]
    if others:
        raise RefusedError(f"uncommitted changes: {', '.join(others)}; commit or remove them first")
    newest = max((_numbers(name[1:]) for name in _git(root, "tag", "--list", "v*").split()), default=())
    if _numbers(version) <= newest:
        raise RefusedError(f"{version} is not newer than {'.'.join(map(str, newest))}")
    set_version(root, version)
    date_citation(root, date_changelog(root, version))
    if subprocess.run(check, shell=True, cwd=root).returncode:
        raise RefusedError(f"`{check}` failed; mend it, commit, and run this again")
    if _git(root, "status", "--porcelain"):
        _git(root, "commit", "--quiet", "--message", f"Release {version}", "--", *sorted(touched))
    _git(root, "tag", "--annotate", tag, "--message", f"ipch {version}")
    print(f"tagged {tag}; to publish: git push origin HEAD {tag}")


def set_version(root: Path, version: str) -> None:
    """Write the version into every place. Raises RefusedError if a place has none."""
    for name, pattern in PLACES.items():
        path = root / name
        text = path.read_text(encoding="utf-8")
        found = re.search(pattern, text, re.MULTILINE)
        if found is None:
            raise RefusedError(f"no version in {name}")
        path.write_text(text[: found.start(1)] + version + text[found.end(1) :], encoding="utf-8")


def date_changelog(root: Path, version: str) -> str:
    """Give the section of unreleased changes its version and date; return the date, that of an earlier attempt if there
    was one. Raises RefusedError if there are no changes."""
    path = root / _CHANGELOG
    text = path.read_text(encoding="utf-8")
    if dated := re.search(rf"^## {re.escape(version)} - (\S+)$", text, re.MULTILINE):
        return dated[1]
    head, mark, rest = text.partition("\n## Unreleased\n")
    if not mark or not rest.partition("\n## ")[0].strip():
        raise RefusedError(f"{_CHANGELOG} has no changes under `## Unreleased`")
    today = datetime.now(UTC).date().isoformat()
    path.write_text(f"{head}{mark}\n## {version} - {today}\n{rest}", encoding="utf-8")
    return today


def date_citation(root: Path, date: str) -> None:
    """Write the date of the release below the version."""
    path = root / "CITATION.cff"
    text = re.sub(r"^date-released: .*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = re.sub(r"^(version: .*\n)", rf"\g<1>date-released: {date}\n", text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise RefusedError(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
