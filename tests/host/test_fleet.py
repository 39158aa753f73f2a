"""Metrics, targets and checks of many chambers; with Debian's Prometheus and Alertmanager, where they are installed."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bench.scenarios.prometheus import ALERTMANAGER, PROMETHEUS, ROOM, Monitoring
from ipch.device import Sample
from ipch.fleet import FILES, differing
from ipch.fleet.metrics import _COUNTERS, _GAUGES
from ipch.live import Server
from ipch.sim.server import RunningServer, simulate

from .live_feeds import FIRST, after, feed

pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
Cli = Callable[..., Any]


def scrape(server: Server, accept: str = "") -> str:
    request = urllib.request.Request(f"http://{server.address}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def value(text: str, name: str, **labels: str) -> float:
    for line in text.splitlines():
        if line.startswith(f"{name}{{") and all(f'{key}="{what}"' in line for key, what in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no {name} {labels} in {text}")


def test_every_field_of_a_sample_is_a_metric_with_its_unit() -> None:
    told_otherwise = {"state", "fault", "warnings", "more"}
    assert {*_GAUGES, *_COUNTERS, *told_otherwise} == {field.name for field in fields(Sample)}
    for field, (name, _) in (*_GAUGES.items(), *_COUNTERS.items()):
        unit = {"_pa": "_pascals", "_k": "_celsius", "_pa_s": "_per_second", "_s": "_seconds"}
        ending = next((unit[end] for end in ("_pa_s", "_pa", "_k", "_s") if field.endswith(end)), "")
        assert name.endswith(ending), name


def test_metrics_of_a_device() -> None:
    found = feed()
    found.sample(after(0, fault="LEAK_BUDGET", state="SEALED", warnings=1 << 14, fills=7, gas_k=float("nan")))
    found.alarms = 2
    with Server("127.0.0.1:0", {"PAGE1": found}, alone=True) as server:
        text = scrape(server)
        assert value(text, "ipch_pressure_pascals", serial="PAGE1") == 1_000_000
        assert value(text, "ipch_wall_temperature_celsius") == pytest.approx(29.9)
        assert "NaN" in re.findall(r"ipch_gas_temperature_celsius{.*", text)[0]
        assert value(text, "ipch_fills_total") == 7 and value(text, "ipch_alarms_total") == 2
        assert value(text, "ipch_state", state="SEALED") == 1 and value(text, "ipch_state", state="OFF") == 0
        assert value(text, "ipch_fault", fault="LEAK_BUDGET") == value(text, "ipch_faulty") == 1
        assert value(text, "ipch_warning", warning="LEAK") == 1
        assert scrape(server, "application/openmetrics-text; version=1.0.0").endswith("# EOF\n")
        # A value that is not known any more is not told.
        found.lost("device lost")
        gone = scrape(server)
        assert value(gone, "ipch_device_up") == 0 and value(gone, "ipch_gaps_total") == 1
        assert "ipch_pressure_pascals{" not in gone and "ipch_faulty{" not in gone


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on the PATH")
def test_labels_may_hold_any_text() -> None:
    odd = ('a"b', "a\nb", "a\\b", "", "x" * 300, "ü€", '{serial="x"} 1')
    feeds = {}
    for name in odd:
        feeds[name] = one = feed()
        one.serial_number, one.facts = name, {**one.facts, "program": name, "firmware": name}
        one.sample(after(0, state=name or "OFF", fault=name or "NONE"))
    with Server("127.0.0.1:0", feeds) as server:
        text = scrape(server)
    assert text.count("\nipch_pressure_pascals{") == len(odd)
    assert all(line.startswith(("#", "ipch_")) for line in text.splitlines())
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done


def test_a_thousand_chambers_are_scraped_quickly() -> None:
    feeds = {}
    for number in range(1000):
        one = feed()
        one.facts = {**one.facts, "serial_number": f"C{number}"}
        one.serial_number = f"C{number}"
        one.sample(FIRST)
        feeds[one.serial_number] = one
    with Server("127.0.0.1:0", feeds) as server:
        begun = time.monotonic()
        text = scrape(server)
        took_s = time.monotonic() - begun
    assert text.count("ipch_pressure_pascals{") == 1000
    assert took_s < 10, took_s  # 1.2 s on an idle core


def test_settings_that_differ() -> None:
    same = {"trip_pa": 6, "control_zero_pa": 1}
    odd = {"trip_pa": 7, "control_zero_pa": 2}
    assert differing([same, dict(same), odd]) == [{}, {}, {"trip_pa": 6}]


def test_all_devices_are_compared(cli: Cli, sim: RunningServer) -> None:
    with simulate(["--serial", "OTHER"]):
        result = cli("fleet", "check", "--json")
        assert result.code == 9
        rows = {row["serial_number"]: row for row in json.loads(result.out.splitlines()[0])}
        assert {"no proof test yet", "nothing records it"} <= set(rows["OTHER"]["problems"])
        text = cli("fleet", "check")
        assert "OTHER" in text.out and "2 of 2 devices need attention" in text.error_line()


def test_targets_are_what_the_programs_serve(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "targets.json"
    with (
        simulate(["--serial", "SERVED"]) as running,
        logging(tmp_path / "log.db", running.port) as (_, address),
    ):
        assert "1 targets written" in cli("fleet", "targets", "--out", str(out)).out
        assert json.loads(out.read_text()) == [{"targets": [address], "labels": {"program": "log"}}]
        found = cli("fleet", "targets", "other:8765", "--json").json()
        assert [group["targets"] for group in found] == [[address], ["other:8765"]]


def test_a_program_that_died_stays_a_target(cli: Cli, tmp_path: Path) -> None:
    """Else Prometheus would take its alarm for resolved."""
    out = tmp_path / "targets.json"
    gone = {"targets": ["127.0.0.1:8765"], "labels": {"program": "log"}}
    out.write_text(json.dumps([gone]))
    result = cli("fleet", "targets", "other:8765", "--out", str(out))
    assert json.loads(out.read_text()) == [{"targets": ["other:8765"], "labels": {}}, gone]
    assert "no program of this computer serves 127.0.0.1:8765" in result.err
    # Named again, an address stands once.
    cli("fleet", "targets", "127.0.0.1:8765", "127.0.0.1:8765", "--out", str(out))
    assert [group["targets"] for group in json.loads(out.read_text())] == [["127.0.0.1:8765"], ["other:8765"]]
    assert cli("fleet", "targets", "--fresh", "--out", str(out)).code == 0
    assert json.loads(out.read_text()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["targets.json"]


@pytest.mark.parametrize(
    "bad", ["", "host", "host:0", "host:99999", 'a"b:1', "http://host:1", "a b:1", "a\nb:1"]
)
def test_what_prometheus_would_refuse_is_no_target(cli: Cli, bad: str) -> None:
    assert cli("fleet", "targets", "other:8765", bad).code == 2


def test_a_file_that_is_no_list_of_targets_stays(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "targets.json"
    for text in ("[", "{}x", '["a"]', '[{"targets": 1}]', "3"):
        out.write_text(text)
        result = cli("fleet", "targets", "other:8765", "--out", str(out))
        assert result.code == 8 and "is not a list of targets" in result.error_line(), text
        assert out.read_text() == text
    assert cli("fleet", "targets", "other:8765", "--out", str(tmp_path)).code == 8
    assert cli("fleet", "targets", "other:8765", "--out", str(tmp_path / "none" / "x.json")).code == 8
    assert [path.name for path in tmp_path.iterdir()] == ["targets.json"]


def test_the_example_files_are_written_once(cli: Cli, tmp_path: Path) -> None:
    assert cli("fleet", "files", str(tmp_path / "new")).code == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(FILES)
    assert "exists already" in cli("fleet", "files", str(tmp_path / "new")).error_line()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on the PATH")
def test_rules_metrics_and_queries_pass_promtool(tmp_path: Path) -> None:
    def run(*command: str, text: str = "") -> None:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done

    run("promtool", "check", "rules", str(ROOM / "alerts.yml"))
    run("promtool", "check", "config", str(ROOM / "prometheus.yml"))
    found = feed()
    found.sample(FIRST)
    with Server("127.0.0.1:0", {"PAGE1": found}) as server:
        run("promtool", "check", "metrics", text=scrape(server))
    # Grafana's queries are PromQL.
    dashboard = json.loads((ROOM / "dashboard.json").read_text())
    queries = [
        target["expr"].replace("$serial", ".*")
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    rules = tmp_path / "rules.yml"
    rows = [{"record": f"x:{n}", "expr": query} for n, query in enumerate(queries)]
    rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rows}]}))
    run("promtool", "check", "rules", str(rules))
    assert len(queries) > 10
    metrics = {name for query in queries for name in re.findall(r"ipch_\w+", query)}
    # Names in the rules' expressions; the alerts' own names begin with a capital.
    metrics |= set(re.findall(r"ipch_\w+", (ROOM / "alerts.yml").read_text()))
    known = {name for name, _ in _GAUGES.values()} | {f"{name}_total" for name, _ in _COUNTERS.values()}
    known |= {
        "ipch_device_up",
        "ipch_faulty",
        "ipch_fault",
        "ipch_state",
        "ipch_warning",
        "ipch_dead_band_pascals",
    }
    assert metrics <= known | {"ipch_sample_age_seconds"}, metrics - known


# What a chamber serves, every 5 s; and when each alert of the file as it is shipped fires and clears, in seconds.
ALERTS = [
    ("IpchFault", 'ipch_faulty{serial="A"}', "0 0 1x9 0x9", 10, 60),
    ("IpchDeviceAway", 'ipch_device_up{serial="A"}', "1 1 0x9 1x9", 20, 60),
    ("IpchProgramDead", 'up{job="ipch",instance="a"}', "1 1 0x9 1x9", 20, 60),
    ("IpchNothingScraped", 'ipch_device_up{serial="A"}', "1 stale _x20 1x9", 65, 110),
    ("IpchNoSample", 'ipch_sample_age_seconds{serial="A"}', "0+5x15 0x9", 65, 80),
    ("IpchLeak", 'ipch_warning{serial="A",warning="LEAK"}', "0 0 1x69 0x9", 310, 360),
]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on the PATH")
def test_each_alert_fires_and_clears_in_its_time(tmp_path: Path) -> None:
    """In promtool's time, with the rules as they are shipped."""
    tests = []
    for alert, series, values, fires_s, clears_s in ALERTS:
        checks = [(0, False), (fires_s - 5, False), (fires_s, True), (clears_s - 5, True), (clears_s, False)]
        tests += [
            {
                "interval": "5s",
                "input_series": [{"series": series, "values": values}],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                        "eval_time": f"{at_s}s",
                        "exp_samples": [{"labels": "{}", "value": 1}] if firing else [],
                    }
                    for at_s, firing in checks
                ],
            }
        ]
    file = tmp_path / "tests.yml"
    # JSON is YAML.
    head = {"rule_files": [str(ROOM / "alerts.yml")], "evaluation_interval": "5s"}
    file.write_text(json.dumps({**head, "tests": tests}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done


@pytest.mark.long
@pytest.mark.skipif(
    PROMETHEUS is None or ALERTMANAGER is None, reason="no Prometheus and Alertmanager on the PATH"
)
def test_alerts_fire_and_clear(cli: Cli, tmp_path: Path) -> None:
    with simulate(["--serial", "ALERT", "--speed", "5"]) as running, contextlib.ExitStack() as stack:
        log, address = stack.enter_context(logging(tmp_path / "log.db", running.port))
        targets = tmp_path / "ipch-targets.json"
        assert cli("fleet", "targets", "--out", str(targets)).code == 0
        monitoring = Monitoring(tmp_path, faster=5)
        stack.enter_context(monitoring.prometheus())
        stack.enter_context(monitoring.alerting())
        await_(lambda: monitoring.value('up{job="ipch"}') == ["1"], 60)
        assert cli("inject", "control-open", "--port", "ALERT").code == 0
        await_(lambda: "IpchFault" in monitoring.alerts(), 30)
        await_(lambda: "IpchFault" in monitoring.received(), 30)
        cli("inject", "--clear", "--port", "ALERT")
        await_(lambda: cli("ack", "--port", "ALERT").code == 0, 30)
        await_(lambda: "IpchFault" not in monitoring.alerts(), 30)
        log.kill()
        log.wait()
        await_(lambda: "IpchProgramDead" in monitoring.alerts(), 30)
        stack.enter_context(logging(tmp_path / "log.db", running.port, address))
        await_(lambda: "IpchProgramDead" not in monitoring.alerts(), 30)


@contextlib.contextmanager
def logging(
    record: Path, port: str, address: str = "127.0.0.1:0"
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`ipch log --http`, and its address."""
    command = [sys.executable, "-m", "ipch", "log", str(record), "--port", port, "--http", address]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = next(line for line in process.stderr if "http://" in line)
            # Until its first sample, so that the programs know of each other.
            next(line for line in process.stderr if "recording to" in line)
            yield process, line.split("http://")[1].split("/")[0]
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def await_(so: Callable[[], bool], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < limit, f"not within {seconds} s"
        time.sleep(0.2)
