"""Everything that can go wrong in a way that a user can act on; each kind has its exit code."""


class IpchError(Exception):
    """Base. `str()` is one line for a person: what, where, and what would be accepted."""

    exit_code = 1


class UsageError(IpchError):
    """A value that cannot be understood, or a command that makes no sense now."""

    exit_code = 2


class NoDeviceError(IpchError):
    """No device found, an unknown port, or a port where nothing answers."""

    exit_code = 3


class PortBusyError(IpchError):
    """Another program has the port open."""

    exit_code = 4


class DeviceError(IpchError):
    """The device refused a command. `code` and `text` are its own words (SCPI error number and message)."""

    exit_code = 5

    def __init__(self, code: int, text: str, message: str = "") -> None:
        self.code = code
        self.text = text
        # ';' separates what went wrong from the device's own reason or from what it allows.
        what, _, reason = text.partition(";")
        told = f"{reason} ({code} {what})" if reason else f"{what} ({code})"
        super().__init__(f"the device refused{f' {message}' if message else ''}: {told}")


class DeviceLostError(IpchError):
    """The device went away, stopped answering or restarted while it was in use."""

    exit_code = 6


class ExchangeCutError(DeviceLostError):
    """The device went away in the middle of an exchange: whether the message was carried out is not known."""


class ProtocolError(DeviceLostError):
    """The device answered something that is no answer to what it was asked."""


class FaultError(IpchError):
    """A fault latched on the device, or what was waited for did not come true."""

    exit_code = 7


class FileError(IpchError):
    """A recipe, plant or settings file that is not valid, or a file that cannot be read or written."""

    exit_code = 8


class CheckError(IpchError):
    """Something was checked and is not as it should be: a replay that differs, a proof test that was not passed."""

    exit_code = 9
