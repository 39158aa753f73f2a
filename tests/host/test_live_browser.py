"""The live page in headless Chromium, driven by playwright; skipped by name where one of them is missing."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ipch.cli
from ipch.device.instrument import Instrument
from ipch.live import Feed, Server
from ipch.sim.server import simulate
from tests.golden.commands import record

from .live_feeds import after, feed

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")
WIDTHS = (1440, 768, 390)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def page(browser: Any, errors: list[str]) -> Iterator[Any]:
    """A page that reports script errors and every request to anywhere but this computer."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    here = ("http://127.0.0.1:", "data:", "blob:", "file:")
    opened.on("request", lambda request: request.url.startswith(here) or errors.append(request.url))
    yield opened
    context.close()
    assert errors == []


def wait_for(page: Any, selector: str, text: str, timeout_s: float = 10.0) -> None:
    page.locator(selector, has_text=text).first.wait_for(timeout=timeout_s * 1000)


def until(page: Any, so: str, timeout_s: float = 30.0) -> None:
    """Wait until an expression is true; Playwright's own way evaluates it in the page, which its policy refuses."""
    limit = time.monotonic() + timeout_s
    while not page.evaluate(so):
        assert time.monotonic() < limit, so
        page.wait_for_timeout(50)


def drawn(page: Any) -> None:
    until(page, "document.querySelector('#plot')?.data?.length > 0")


def test_a_value_is_on_the_page_within_a_second(page: Any, server: Server, fed: Feed) -> None:
    page.goto(server.url)
    wait_for(page, "#pressure", "1.0000")
    fed.sample(after(1, pressure_pa=1_234_500))
    wait_for(page, "#pressure", "1.2345", timeout_s=1.0)
    wait_for(page, "#error", "+234.50")


def test_the_first_values_do_not_wait_for_the_plot(page: Any, server: Server) -> None:
    held = threading.Event()

    def hold(route: Any) -> None:
        held.set()
        route.abort()

    page.route("**/plotly.js", hold)
    page.goto(server.url)
    wait_for(page, "#pressure", "1.0000")
    assert held.is_set()


def test_injected_text_stays_text(page: Any, server: Server, fed: Feed) -> None:
    evil = "<img src=x onerror=document.title='hacked'>"
    fed.step(f"1/2 hold ({evil})", 0.25, 60.0, 600.0)
    fed.lost(f"device lost: {evil}")
    page.goto(server.url)
    wait_for(page, "#step-text", "onerror")
    wait_for(page, "#away", "onerror")
    wait_for(page, "#program", "<b>bold</b>")
    assert page.locator("img").count() == 0 and "hacked" not in page.title()


def test_fault_warning_and_step_say_what_to_do(page: Any, server: Server, fed: Feed) -> None:
    fed.step("2/3 hold for 1 h", 0.5, 600.0, 7200.0)
    fed.sample(after(1, fault="CONTROL_OPEN", state="SEALED", warnings=1 << 14))
    page.goto(server.url)
    wait_for(page, "#fault", "Check its cable")
    wait_for(page, "#warnings", "Look for the leak")
    wait_for(page, "#step-left", "left, the whole recipe 1 h 59 min")


def test_no_old_value_stands_unmarked(page: Any, server: Server, fed: Feed) -> None:
    page.goto(server.url)
    # On a busy computer the first sample is old already.
    fed.sample(after(1))
    until(page, "document.body && !document.body.classList.contains('stale')")
    fed.lost("device lost: unplugged")
    wait_for(page, "#away", "unplugged", timeout_s=1.0)
    assert page.evaluate("document.body.classList.contains('stale')")
    fed.sample(after(5))
    until(page, "document.body && !document.body.classList.contains('stale')")
    server.close()
    wait_for(page, "#gone", "has ended or cannot be reached", timeout_s=5.0)
    assert page.evaluate("document.body.classList.contains('stale')")
    assert "line-through" in page.evaluate(
        "getComputedStyle(document.querySelector('#pressure')).textDecoration"
    )


def test_the_page_survives_a_restart_of_the_server(page: Any, fed: Feed) -> None:
    with Server("127.0.0.1:0", {"PAGE1": fed}, alone=True) as first:
        address = first.url.split("/")[2]
        page.goto(first.url)
        wait_for(page, "#pressure", "1.0000")
    wait_for(page, "#gone", "and may be wrong")
    with Server(address, {"PAGE1": fed}, alone=True):
        fed.sample(after(20, pressure_pa=1_100_000))
        wait_for(page, "#pressure", "1.1000", timeout_s=15.0)
        page.locator("#gone").wait_for(state="hidden")
        until(page, "document.body && !document.body.classList.contains('stale')")


def test_two_pages_at_once(page: Any, server: Server, fed: Feed) -> None:
    second = page.context.new_page()
    for each in (page, second):
        each.goto(server.url)
    fed.sample(after(1, pressure_pa=1_050_000))
    for each in (page, second):
        wait_for(each, "#pressure", "1.0500", timeout_s=2.0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_is_readable(browser: Any, server: Server, fed: Feed, width: int, scheme: str) -> None:
    for second in range(1, 120):
        fed.sample(after(second, fills=3 + second // 20))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    opened.goto(server.url)
    drawn(opened)
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    background = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    assert opened.evaluate("document.querySelector('#plot').layout.paper_bgcolor") == (
        "#fff" if scheme == "light" else "#14161a"
    )
    overflowing = (
        "[...document.querySelectorAll('dd')].filter((dd) => dd.scrollWidth > dd.clientWidth + 1).length"
    )
    assert opened.evaluate(overflowing) == 0
    context.close()


def test_the_span_is_chosen_by_keyboard(page: Any, server: Server, fed: Feed) -> None:
    page.goto(server.url)
    drawn(page)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.value") == "day"
    until(page, "span === 'day'")


def test_the_camera_saves_svg_and_nothing_can_be_uploaded(page: Any, server: Server) -> None:
    page.goto(server.url)
    drawn(page)
    titles = page.evaluate("[...document.querySelectorAll('.modebar-btn')].map((b) => b.dataset.title)")
    assert titles and not [title for title in titles if "hare" in title or "loud" in title]
    with page.expect_download() as download:
        page.locator(".modebar-btn[data-title*='ownload']").dispatch_event("click")
    assert download.value.suggested_filename == "PAGE1-pressure.svg"
    assert page.evaluate("fetch('https://example.org').then(() => 'sent', () => 'refused')") == "refused"


def largest_renderer_mb() -> float:
    """Private memory of the largest of Chromium's processes that show a page."""
    found = [0.0]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if "--type=renderer" in (process / "cmdline").read_text():
                rows = (process / "smaps_rollup").read_text().splitlines()
                found.append(sum(int(row.split()[1]) for row in rows if row.startswith("Private")) / 1e3)
    return max(found)


def test_eight_hours_leave_the_page_small(page: Any, server: Server, fed: Feed) -> None:
    page.goto(server.url)
    drawn(page)
    for second in range(1, 8 * 3600):
        fed.sample(after(second, pressure_pa=1_000_000 + second % 600, fills=3 + second // 300))
    page.evaluate("read()")
    drawn(page)
    # Of its own, that is without Chromium's program, which an empty page has in memory too.
    assert 10 < largest_renderer_mb() < 200
    points = page.evaluate("document.querySelector('#plot').data.reduce((n, trace) => n + trace.x.length, 0)")
    assert 1000 < points < 30_000


def test_tiles_of_all_devices(page: Any, fed: Feed) -> None:
    other = feed()
    other.facts = {**other.facts, "serial_number": "<i>OTHER</i>"}
    other.sample(after(0, fault="LEAK_BUDGET", state="SEALED"))
    # On a busy computer they would be old.
    for each in (fed, other):
        each.heard_s += 300.0
    with Server("127.0.0.1:0", {"PAGE1": fed, "<i>OTHER</i>": other}) as server:
        page.goto(server.url)
        wait_for(page, ".tile.bad", "LEAK_BUDGET")
        wait_for(page, ".tile.good", "PAGE1")
        page.locator(".tile a", has_text="OTHER").click()
        wait_for(page, "#serial", "<i>OTHER</i>")
        page.locator("#others").click()
        wait_for(page, "#count", "2 found, 1 with a fault")
        # A device that says nothing is not well, whatever it said last.
        fed.heard_s -= 310.0
        wait_for(page, ".tile.bad.stale", "No value for")
        wait_for(page, "#count", "2 found, 2 with a fault or away")


def test_sixty_four_tiles_fit_and_begin_with_what_needs_a_person(page: Any) -> None:
    feeds = {}
    for number in range(64):
        name = f"E66138C1{number:08X}"
        feeds[name] = one = feed()
        one.facts = {**one.facts, "serial_number": name}
        one.sample(after(0, warnings=1 << 14) if number == 40 else after(0))
        one.heard_s += 300.0
    feeds["E66138C10000003F"].sample(after(1, fault="CONTROL_OPEN", state="SEALED"))
    feeds["E66138C10000003F"].heard_s += 300.0
    with Server("127.0.0.1:0", feeds) as server:
        for width, height in ((1280, 800), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(server.url)
            wait_for(page, "#count", "64 found")
            tops = [
                page.locator(f".tile{kind}").first.bounding_box()
                for kind in (".bad", ".warn", ":not(.bad):not(.warn)")
            ]
            assert [(box["y"], box["x"]) for box in tops] == sorted((box["y"], box["x"]) for box in tops)
            seen = page.evaluate(
                "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
            )
            assert seen[0] <= width and seen[1] < (1300 if width == 1280 else 3500), seen


def test_a_run_and_all_devices_in_a_real_browser(page: Any, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[[step]]\nramp = "0.5MPa"\nslew = "1kPa/s"\nnote = "<b>up</b>"\n[[step]]\nhold = "1h"\n'
    )
    with simulate(["--speed", "5", "--set", "volume_l=0.1", "--serial", "LIVE1"]) as running:
        command = [sys.executable, "-m", "ipch", "run", str(recipe), "--out", str(tmp_path / "run")]
        with Serving([*command, "--port", running.port, "--http", "127.0.0.1:0"]) as (run, url):
            page.goto(url)
            wait_for(page, "#step-text", "<b>up</b>")
            wait_for(page, "#state", "REGULATE")
            with Serving([sys.executable, "-m", "ipch", "live", "--http", "127.0.0.1:0"]) as (_, all_url):
                tiles = page.context.new_page()
                tiles.goto(all_url)
                wait_for(tiles, ".tile", "LIVE1", timeout_s=20)
                wait_for(tiles, ".tile", "recipe: ", timeout_s=20)
                with Instrument.open(running.port) as instrument:
                    assert instrument.state == "REGULATE"
            run.send_signal(signal.SIGINT)
            wait_for(page, "#gone", "has ended")
            run.wait(30)


class Serving:
    """A program that serves, and the address that it prints first on either stream."""

    def __init__(self, command: list[str]) -> None:
        self._command = command

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "http://" in line:
                return self._process, "http://" + line.split("http://")[1].split()[0]
        raise AssertionError("no address was printed")

    def __exit__(self, *exception: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def test_nothing_in_a_report_can_be_uploaded(page: Any, tmp_path: Path) -> None:
    record(tmp_path)
    assert ipch.cli.run(["report", str(tmp_path / "run")]) == 0
    page.goto((tmp_path / "run" / "report.html").as_uri())
    drawn(page)
    titles = page.evaluate("[...document.querySelectorAll('.modebar-btn')].map((b) => b.dataset.title)")
    assert titles and not [title for title in titles if "hare" in title or "loud" in title]
    with page.expect_download() as download:
        page.locator(".modebar-btn[data-title*='ownload']").dispatch_event("click")
    assert download.value.suggested_filename.endswith(".svg")
    assert "<svg" in Path(download.value.path()).read_text()
    assert page.evaluate("fetch('https://example.org').then(() => 'sent', () => 'refused')") == "refused"
    # The same box tells the values of all panels with units, and the time of day.
    box = page.locator("#plot .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(page, "document.querySelectorAll('#plot .hoverlayer text').length > 0")
    told = page.evaluate("document.querySelector('#plot .hoverlayer').textContent")
    for part in ("MPa", "kPa", "°C", "2026-01-01T", "Z"):
        assert part in told, told
