"""A thousand chambers of replayed samples in one process: metrics and EPICS records, a sample a second of each."""

from __future__ import annotations

import json
import pickle
import sys
import time
from pathlib import Path

from ipch.device import Sample
from ipch.errors import UsageError
from ipch.fleet import ACCESS
from ipch.fleet.chamber import NORMAL, Facts, Reading
from ipch.fleet.ioc import start
from ipch.live import Feed, Server

FACTS = Facts(NORMAL, "", (), 20_000, 5_500_000, False, 0)


def _refuse(name: str, record: str, value: float) -> None:
    raise UsageError("these are replayed samples")


def main() -> None:
    """Arguments: number of chambers, file with pickled samples. Serves until stdin ends."""
    count = int(sys.argv[1])
    samples: list[Sample] = pickle.loads(Path(sys.argv[2]).read_bytes())
    names = [f"R{number:04}" for number in range(count)]
    facts = {"program": "replay", "firmware": "0", "dead_band_pa": 5000, "setpoint_max_pa": 5_500_000}
    feeds = {name: Feed({"serial_number": name, **facts}) for name in names}
    records = start(names, "ipch:", "127.0.0.1", ACCESS, _refuse)
    late_s = 0.0
    with Server("127.0.0.1:0", feeds) as server:
        begun_s = time.monotonic()
        for turn in range(1_000_000):
            for number, name in enumerate(names):
                sample = samples[(turn + number) % len(samples)]
                feeds[name].sample(sample)
                records[name].show(Reading(sample, FACTS), "")
            if turn == 0:
                print(json.dumps({"address": server.address}), flush=True)
                begun_s = time.monotonic()
            late_s = max(late_s, time.monotonic() - begun_s - turn)
            time.sleep(max(0.0, begun_s + turn - time.monotonic()))


if __name__ == "__main__":
    main()
