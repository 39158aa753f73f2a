"""Delivery of events by command, webhook or e-mail."""

import json
import os
import smtplib
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import asdict
from email.message import EmailMessage

from ipch.alarms.config import Config
from ipch.alarms.rules import Event

SEND_TIMEOUT_S = 15.0


def deliver(config: Config, event: Event) -> list[str]:
    """Deliver an event through every configured channel; return one line per failure."""
    ways: list[tuple[str, bool, Callable[[Config, Event], None]]] = [
        ("command", bool(config.command), _run),
        ("webhook", bool(config.webhook), _post),
        ("e-mail", config.email is not None, _mail),
    ]
    failures = []
    for name, wanted, send in ways:
        if wanted:
            try:
                send(config, event)
            except (OSError, ValueError, subprocess.SubprocessError, smtplib.SMTPException) as error:
                failures.append(f"alarm not delivered by {name}: {error}")
    return failures


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
    request = urllib.request.Request(config.webhook, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=SEND_TIMEOUT_S):
        pass


def _mail(config: Config, event: Event) -> None:
    mail = config.email
    assert mail is not None
    message = EmailMessage()
    message["Subject"] = f"ipch: {event.name} {event.kind}"
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message.set_content(f"{event.text}\n\n{event.utc}\n")
    with smtplib.SMTP(mail.host, mail.port, timeout=SEND_TIMEOUT_S) as server:
        if mail.starttls:
            server.starttls()
        if mail.user:
            server.login(mail.user, os.environ.get(mail.password_env, ""))
        server.send_message(message)
