"""Many chambers of replayed samples in one process: metrics and EPICS records, a sample a second of each."""

from __future__ import annotations

import contextlib
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
    """Arguments: number of chambers, file with pickled samples, and `apart` for a server of metrics each, no EPICS.

    Prints the addresses; runs until it is ended.
    """
    count, apart = int(sys.argv[1]), sys.argv[3:] == ["apart"]
    samples: list[Sample] = pickle.loads(Path(sys.argv[2]).read_bytes())
    names = [f"R{number:04}" for number in range(count)]
    facts = {"program": "replay", "firmware": "0", "dead_band_pa": 5000, "setpoint_max_pa": 5_500_000}
    feeds = {name: Feed({"serial_number": name, **facts}) for name in names}
    records = {} if apart else start(names, "ipch:", "127.0.0.1", ACCESS, _refuse)
    served = [{name: feed} for name, feed in feeds.items()] if apart else [feeds]
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server("127.0.0.1:0", each, alone=apart)) for each in served]
        begun_s = time.monotonic()
        for turn in range(1_000_000):
            for number, name in enumerate(names):
                sample = samples[(turn + number) % len(samples)]
                feeds[name].sample(sample)
                if not apart:
                    records[name].show(Reading(sample, FACTS), "")
            if turn == 0:
                print(json.dumps({"addresses": [server.address for server in servers]}), flush=True)
                begun_s = time.monotonic()
            time.sleep(max(0.0, begun_s + turn - time.monotonic()))


if __name__ == "__main__":
    main()
