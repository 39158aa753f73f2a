"""Stop the tests of Neware channels at a fault of the regulator: python stop_neware.py E66138C1 120-10-8 ...

It needs `pip install ipch aurora-neware`, runs beside `ipch log` or `ipch run`, and reaches the BTS server by TCP (port
502; Neware has to activate the interface). It is a second line behind the relay contact J1, not instead of it: it needs
this computer, its network and the BTS server.
"""

import argparse
import socket
import sys
import time
from xml.etree.ElementTree import ParseError

from aurora_neware import NewareAPI

from ipch import Instrument
from ipch.errors import DeviceLostError

POLL_S, AGAIN_S = 1.0, 5.0
STOPPED = ("stop", "finish", "protect")


class Cycler(NewareAPI):
    """aurora-neware would wait for ever for the rest of an answer when the server ends."""

    def command(self, cmd: str) -> str:
        end = self.termination.encode()
        self.neware_socket.sendall(f"{self.start_message}{cmd}{self.end_message}".encode() + end)
        received = b""
        while not received.endswith(end):
            piece = self.neware_socket.recv(4096)
            if not piece:
                raise ConnectionError("the server ended the connection")
            received += piece
        return received[: -len(end)].decode()


def stop(host: str, port: int, channels: list[str]) -> bool:
    """Ask for a stop; whether every channel then says that it has stopped."""
    try:
        with Cycler(host, port) as cycler:
            cycler.stop(channels)
            told = {
                name: row.get("workstatus", row.get("status"))
                for name, row in cycler.inquire(channels).items()
            }
    except (OSError, KeyError, ValueError, ParseError) as error:
        print(f"the cycler did not answer: {error}", file=sys.stderr)
        return False
    print("the cycler says: " + ", ".join(f"{name} {state}" for name, state in told.items()), flush=True)
    return all(state in STOPPED for state in told.values())


def main() -> int:
    parser = argparse.ArgumentParser(description="Stop Neware channels at a fault of the regulator.")
    parser.add_argument("device", help="serial number of the regulator")
    parser.add_argument("channels", nargs="+", help="device-subdevice-channel, as in 120-10-8")
    parser.add_argument("--host", default="127.0.0.1", help="address of the BTS server")
    parser.add_argument("--port", type=int, default=502)
    parser.add_argument(
        "--silence", type=float, default=60.0, help="stop as well after so many seconds without an answer"
    )
    words = parser.parse_args()
    socket.setdefaulttimeout(AGAIN_S)
    with Cycler(words.host, words.port) as cycler:
        # A channel that does not exist is found now, and not at the fault.
        for channel in words.channels:
            cycler.get_pipeline(channel)
    heard_s = time.monotonic()
    with Instrument.open(words.device) as regulator:
        print(f"watching {words.device} for {', '.join(words.channels)}", flush=True)
        while True:
            reason = ""
            try:
                sample = regulator.fetch()
                heard_s = time.monotonic()
                reason = f"fault {sample.fault}" if sample.faulty else ""
            except DeviceLostError as error:
                if time.monotonic() - heard_s > words.silence:
                    reason = str(error)
            if reason:
                print(f"stopping: {reason}", flush=True)
                while not stop(words.host, words.port, words.channels):
                    time.sleep(AGAIN_S)
                return 7
            time.sleep(POLL_S)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
    except (OSError, KeyError, ValueError, ParseError) as error:
        sys.exit(f"no cycler on that address, or no such channel: {error}")
