"""Errors that a user can act on; each class has its exit code."""


class IpchError(Exception):
    """Base class. `str()` is one line: what is wrong, where, and what is allowed."""

    exit_code = 1


class UsageError(IpchError):
    """An invalid value, or a command that is invalid in the present state."""

    exit_code = 2


class NoDeviceError(IpchError):
    """No device found, an unknown port, or no regulator on the port."""

    exit_code = 3


class PortBusyError(IpchError):
    """Another program has the port open."""

    exit_code = 4


class DeviceError(IpchError):
    """The device refused a command. `code` and `text` are its SCPI error number and message."""

    exit_code = 5

    def __init__(self, code: int, text: str, message: str = "") -> None:
        self.code = code
        self.text = text
        # ';' separates the standard message from the device's reason or its allowed values.
        what, _, reason = text.partition(";")
        told = f"{reason} ({code} {what})" if reason else f"{what} ({code})"
        super().__init__(f"the device refused{f' {message}' if message else ''}: {told}")


class DeviceLostError(IpchError):
    """The device disappeared, stopped answering or restarted while in use."""

    exit_code = 6


class ExchangeCutError(DeviceLostError):
    """The device disappeared during an exchange: it may or may not have executed the message."""


class ProtocolError(DeviceLostError):
    """The device sent a reply that does not match the query."""


class FaultError(IpchError):
    """A fault latched on the device, or an awaited condition was not met."""

    exit_code = 7


class FileError(IpchError):
    """An invalid recipe, plant or settings file, or a file that cannot be read or written."""

    exit_code = 8


class CheckError(IpchError):
    """A check failed: a replay that differs, a failed proof test."""

    exit_code = 9


class NotKnownEmptyError(IpchError):
    """A vent ended, but no reading that the device believes says that the chamber is empty."""

    exit_code = 10
