"""Build hooks: the package's addresses, and the board's files inside the package as ipch/_firmware.

The firmware lies beside this folder in a checkout, and inside it in a source distribution. Hatchling's
`force-include` can name only one of the two, so the place is chosen here. An editable install carries none:
`ipch.base.paths.firmware_dir()` then finds the files of the checkout.
"""

import importlib.util
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PAPER = "https://doi.org/10.1002/aenm.202304327"


class Addresses(MetadataHookInterface):
    """The repository is where this checkout was cloned from (git's remote `origin`); a fork names itself so."""

    def update(self, metadata: dict[str, Any]) -> None:
        metadata["urls"] = {"Paper": PAPER}
        origin = _origin(Path(self.root))
        if origin:
            metadata["urls"] |= {
                "Repository": origin,
                "Issues": f"{origin}/issues",
                "Changelog": f"{origin}/blob/main/CHANGELOG.md",
                "Documentation": f"{origin}/tree/main/docs",
            }


def _origin(root: Path) -> str | None:
    """The page of git's remote, or None without a remote on the web."""
    try:
        asked = ["git", "remote", "get-url", "origin"]
        url = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    url = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", url).removesuffix(".git")
    # Without a password that somebody left in the address.
    return re.sub(r"^https://[^@/]+@", "https://", url) if url.startswith("https://") else None


class FirmwareHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        places = [root / "_firmware", root.parent / "firmware"]
        source = next((place for place in places if (place / "main.py").is_file()), None)
        if source is None:
            raise FileNotFoundError(
                f"no firmware to pack: looked for main.py in {', '.join(map(str, places))}"
            )
        target = "_firmware" if self.target_name == "sdist" else "ipch/_firmware"
        for path in sorted(source.rglob("*")):
            relative = path.relative_to(source)
            if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in relative.parts):
                build_data["force_include"][str(path)] = f"{target}/{relative.as_posix()}"
        if self.target_name != "sdist":
            build_data["force_include"][self._generated(root, source)] = f"{target}/generated.py"

    def _generated(self, root: Path, firmware: Path) -> str:
        """Generate the firmware's module for the black box; return where it lies."""
        spec = importlib.util.spec_from_file_location("generated_source", root / "src/ipch/base/generated.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        place = Path(tempfile.mkdtemp(prefix="ipch-build-")) / "generated.py"
        place.write_text(module.source(firmware))
        return str(place)
