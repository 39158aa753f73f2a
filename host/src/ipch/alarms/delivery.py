"""Delivery of events by command, webhook or e-mail, each way with its own thread and retries."""

import http.client
import json
import os
import smtplib
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict
from email.message import EmailMessage
from typing import Self

from ipch.alarms.config import Config
from ipch.alarms.outbox import Outbox
from ipch.alarms.rules import Event
from ipch.errors import FileError

SEND_TIMEOUT_S = 15.0
_FAILURES = (OSError, ValueError, subprocess.SubprocessError, smtplib.SMTPException)
# Longest sleep between two looks at the queue: another program may have put something there.
_LOOK_S = 5.0


class _PartlyError(Exception):
    """It was delivered, but not to everybody: trying again would deliver it twice to the others."""


def ways(config: Config) -> list[str]:
    """The configured ways of delivery."""
    return [way for way in _SEND if getattr(config, way)]


def deliver(config: Config, event: Event) -> list[str]:
    """Deliver an event once through every configured way; return one line per failure."""
    failures = []
    for way in ways(config):
        try:
            _SEND[way](config, event)
        except (*_FAILURES, _PartlyError) as error:
            failures.append(f"alarm not delivered by {way}: {error}")
    return failures


class Delivery:
    """Delivers what is in the outbox, in threads: a server that is slow or down delays nothing else."""

    def __init__(self, config: Config, outbox: Outbox, say: Callable[[str], None]) -> None:
        """`say` is called with a line when a way fails, and when it works again."""
        self._config = config
        self._outbox = outbox
        self._say = say
        self._news = threading.Condition()
        self._ending = False
        self._threads = [
            threading.Thread(target=self._run, args=(way,), name=f"alarms by {way}", daemon=True)
            for way in ways(config)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Try once more what is due; the rest stays in the outbox."""
        with self._news:
            self._ending = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join(SEND_TIMEOUT_S)
        try:
            left = self._outbox.count()
        except FileError:
            return
        if left:
            self._say(
                f"{left} alarms wait; the next `ipch log` or `ipch run` with this alarm file delivers them"
            )

    def put(self, event: Event) -> None:
        """Queue an event; returns at once. Raises FileError."""
        self._outbox.put(event, ways(self._config))
        with self._news:
            self._news.notify_all()

    def _run(self, way: str) -> None:
        failing = False
        while True:
            ending = self._ending
            try:
                sent, failing = self._send(way, failing)
            except FileError as error:
                sent = False
                self._say(str(error))
            if not sent:
                if ending:
                    return
                with self._news:
                    if not self._ending:
                        self._news.wait(min(_LOOK_S, self._config.retry_s))

    def _send(self, way: str, failing: bool) -> tuple[bool, bool]:
        """Deliver the next event, if any; return whether it was delivered, and whether the way fails now."""
        waiting = self._outbox.take(way)
        if waiting is None:
            return False, failing
        try:
            _SEND[way](self._config, waiting.event)
        except _FAILURES as error:
            self._outbox.failed(waiting, _again_s(self._config, waiting.tries), aside=_is_refused(error))
            if not failing:
                self._say(f"alarm not delivered by {way}: {error}; it is kept and tried again")
            return False, True
        except _PartlyError as error:
            self._say(f"alarm not delivered by {way}: {error}")
        self._outbox.delivered(waiting)
        if failing or waiting.tries:
            self._say(f"alarms are delivered by {way} again")
        return True, False


def _again_s(config: Config, tries: int) -> float:
    """Time until the next attempt, doubled by each failed one."""
    # A float has no 2.0**1024, which a week of attempts reaches.
    return min(config.retry_longest_s, config.retry_s * 2.0 ** min(tries, 64))


def _is_refused(error: Exception) -> bool:
    """Whether this event is what cannot be sent or is not taken, so that others may be: not a way that is down."""
    if isinstance(error, urllib.error.HTTPError):
        # Timeout, too early, too many.
        return 400 <= error.code < 500 and error.code not in (408, 425, 429)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, ValueError)


def ping(address: str) -> None:
    """Tell a service that expects it that all is well. Raises OSError, or ValueError for an address that is none."""
    _request(urllib.request.Request(address))


def _request(request: urllib.request.Request) -> None:
    """Raises OSError, also for an answer that is not HTTP."""
    try:
        urllib.request.urlopen(request, timeout=SEND_TIMEOUT_S).close()
    except urllib.error.HTTPError as error:
        error.close()
        raise
    except http.client.HTTPException as error:
        raise OSError(f"not an HTTP response: {error!r}") from error


def _run(config: Config, event: Event) -> None:
    subprocess.run(
        config.command,
        input=json.dumps(asdict(event)),
        text=True,
        check=True,
        capture_output=True,
        timeout=SEND_TIMEOUT_S,
        env={**os.environ, "IPCH_ALARM": f"{event.name}: {event.text}"},
    )


def _post(config: Config, event: Event) -> None:
    body = json.dumps(asdict(event)).encode()
    _request(urllib.request.Request(config.webhook, body, {"Content-Type": "application/json"}))


def _mail(config: Config, event: Event) -> None:
    mail = config.email
    assert mail is not None
    message = EmailMessage()
    of = f" ({event.device})" if event.device else ""
    message["Subject"] = f"ipch: {event.name} {event.kind}{of}"
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message.set_content(f"{event.text}\n\n{event.utc}{of}\n")
    password = os.environ.get(mail.password_env, "")
    if mail.user and not password:
        raise ValueError(f"the environment variable {mail.password_env} has no password for {mail.user}")
    # Certificates are checked, which smtplib does not by itself.
    context = ssl.create_default_context(cafile=mail.ca_file or None)
    server = (
        smtplib.SMTP_SSL(mail.host, mail.port, timeout=SEND_TIMEOUT_S, context=context)
        if mail.implicit_tls
        else smtplib.SMTP(mail.host, mail.port, timeout=SEND_TIMEOUT_S)
    )
    with server:
        if mail.starttls and not mail.implicit_tls:
            server.starttls(context=context)
        if mail.user:
            server.login(mail.user, password)
        refused = server.send_message(message)
    if refused:
        told = (f"{name} ({code} {text.decode(errors='replace')})" for name, (code, text) in refused.items())
        raise _PartlyError(f"the server refuses {', '.join(told)}")


_SEND: dict[str, Callable[[Config, Event], None]] = {"command": _run, "webhook": _post, "email": _mail}
