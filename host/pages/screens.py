"""Take the screenshots of the documentation from the simulated rig: `make pages`, where chromium is found."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[2] / "docs" / "_static"
# A ramp, a hold whose oven swings, and a step down: an hour of device time in three minutes.
RECIPE = """description = "for the documentation"
sample = "1s"

[[step]]
ramp = "2MPa"
slew = "20kPa/s"

[[step]]
hold = "20min"

[[step]]
ramp = "1MPa"
slew = "20kPa/s"

[[step]]
hold = "1h"
note = "formation"
"""
SPEED = 20
RECORDED_S = 2400


@contextmanager
def program(*arguments: str) -> Iterator[str]:
    """A command of ipch in a process of its own, and its first line with an address or a port."""
    command = [sys.executable, "-m", "ipch", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(line for line in process.stdout if "http://" in line or '"port"' in line)
        finally:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=30)
            process.kill()


def shoot(browser: Any, address: str, name: str, *, width: int, height: int, scheme: str = "light") -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    # Not by wait_for_function, which evaluates strings in the page: its policy refuses that.
    while not page.evaluate(
        "!document.querySelector('#plot') || document.querySelector('#plot').data?.length > 0"
    ):
        page.wait_for_timeout(100)
    page.wait_for_timeout(2000)
    page.screenshot(path=OUT / f"{name}.png")
    context.close()
    print(f"written: {OUT / name}.png")


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("no chromium or no playwright: the screenshots stay as they are", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        # Nothing else of this user may be in the pictures.
        os.environ["XDG_RUNTIME_DIR"] = folder
        recipe, run = Path(folder) / "formation.toml", Path(folder) / "run"
        recipe.write_text(RECIPE)
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        rig = ["sim", "--speed", str(SPEED), "--set", "oven_amplitude_k=0.4"]
        with (
            program(*rig, "--serial", "CELL-7") as line,
            program("sim", "--serial", "CELL-8"),
        ):
            port = json.loads(line)["port"]
            with program(
                "run", str(recipe), "--out", str(run), "--port", port, "--http", "127.0.0.1:0"
            ) as said:
                time.sleep(RECORDED_S / SPEED)
                address = "http://" + said.split("http://")[1].split()[0]
                shoot(browser, address, "live", width=1100, height=1010)
                shoot(browser, address, "live-phone", width=390, height=844, scheme="dark")
                with program("live", "--http", "127.0.0.1:0") as tiles:
                    time.sleep(4)
                    shoot(
                        browser,
                        "http://" + tiles.split("http://")[1].split()[0],
                        "devices",
                        width=900,
                        height=340,
                    )
        shoot(browser, (run / "report.html").as_uri(), "report", width=1100, height=900)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
