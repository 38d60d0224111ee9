"""Settings of the server: where it listens, who may use it, and how much one request may ask for."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Literal


class SettingsError(ValueError):
    """The server cannot be run as asked; the message names the setting, its value and the remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingSettings:
    """How to serve one engine.

    Attributes:
        host: address to listen on.
        port: 0 takes any free port.
        api_key: asked for as `Authorization: Bearer`; empty asks for none, and so for the next two.
        username: asked for with `password` as HTTP basic authentication; either way in is enough where both are set.
        password: see `username`.
        model_aliases: names that a request may give besides the model's own.
        max_queue: requests that may wait for a slot; one more is answered 429.
        max_body_bytes: the longest request body.
        max_prompt_chars: the longest prompt, all its parts together.
        max_n: the most samples of one request, over all its prompts.
        max_tokens_limit: the most new tokens of one sample.
        request_timeout_s: the longest that a request may wait, and then run.
        drain_timeout_s: how long running requests may go on after SIGTERM.
        log_prompts: write prompts to the log.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    api_key: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    model_aliases: tuple[str, ...] = ()
    max_queue: int = 128
    max_body_bytes: int = 4 * 2**20
    max_prompt_chars: int = 400_000
    max_n: int = 128
    max_tokens_limit: int = 4096
    request_timeout_s: float = 600.0
    drain_timeout_s: float = 30.0
    log_prompts: bool = False

    def __post_init__(self) -> None:
        if bool(self.username) != bool(self.password):
            raise SettingsError("--username and --password belong together: give both or neither")
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"--port {self.port} is no port; give one from 0 (any free one) to 65535")
        if ":" in self.username:
            raise SettingsError(f"--username {self.username}: HTTP cannot carry a colon in a name; choose another")

    @property
    def authentication(self) -> Literal["none", "basic", "key"]:
        """What the page must ask a person for."""
        if self.api_key:
            return "key"
        return "basic" if self.password else "none"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_listen(settings: ServingSettings, open_ok: bool) -> None:
    """Refuse to give a model to the whole network without being told to.

    Raises:
        SettingsError: the address is not loopback, nothing authenticates, and `open_ok` is false.
    """
    if is_loopback(settings.host) or settings.authentication != "none" or open_ok:
        return
    raise SettingsError(
        f"--listen {settings.host} would let anyone on the network use the model; "
        "set --api-key, or --username and --password, or say --i-know-this-is-open"
    )
