"""`tabwright serve`: a model in, a page and four protocols on one port out."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from tabwright.cli import options
from tabwright.cli.engines import EngineOptions, obtain_for, start_engine


def serve_command(
    model: options.Model = "",
    listen: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 7860,
    workers: options.Slots = 4,
    context: options.Context = 4096,
    threads: options.Threads = 0,
    cpu: Annotated[bool, typer.Option("--cpu", help="Run on the CPU, as is done without --device anyway.")] = False,
    engine: options.Engine = "llama.cpp",
    quantize: options.Quantize = 0,
    device: options.Device = "cpu",
    auth: Annotated[bool, typer.Option("--auth", help="Ask for --username and --password.")] = False,
    username: Annotated[str, typer.Option(envvar="TABWRIGHT_USERNAME")] = "",
    password: Annotated[str, typer.Option(envvar="TABWRIGHT_PASSWORD")] = "",
    api_key: Annotated[str | None, typer.Option(envvar="TABWRIGHT_API_KEY", help="Key that clients must send.")] = None,
    open_ok: Annotated[
        bool, typer.Option("--i-know-this-is-open", help="Listen beyond this machine without authentication.")
    ] = False,
    queue: Annotated[int, typer.Option(min=0, help="Requests that may wait; past them 429.")] = 64,
    log_prompts: Annotated[
        bool, typer.Option("--log-prompts", help="Write prompts to the log, on standard error.")
    ] = False,
    remote: options.Remote = "",
    remote_key: options.RemoteKey = "",
) -> None:
    """Serve completions, infilling and chat: a page, and the protocols that editors and clients speak."""
    from tabwright.serving import ServingSettings, check_listen, serve

    _check_auth(auth, username, password, api_key)
    settings = ServingSettings(
        host=listen,
        port=port,
        api_key=api_key or "",
        username=username,
        password=password,
        max_queue=queue,
        log_prompts=log_prompts,
        model_aliases=(model,) if model else (),
    )
    check_listen(settings, open_ok)
    wanted = EngineOptions(
        engine=engine,
        quantize=quantize,
        device=device,
        model=model,
        remote=remote,
        remote_key=remote_key,
        slots=workers,
        context=context,
        threads=threads,
    )
    local = obtain_for(wanted)
    _log_to_stderr(logging.INFO if log_prompts else logging.WARNING)
    serve(lambda: start_engine(wanted, local), settings, on_ready=_announce)


def _check_auth(auth: bool, username: str, password: str, api_key: str | None) -> None:
    from tabwright.serving.settings import SettingsError

    if auth and not (username and password):
        raise SettingsError("--auth: give --username and --password too (or TABWRIGHT_USERNAME and TABWRIGHT_PASSWORD)")
    if not auth and (username or password):
        raise SettingsError("--username and --password: add --auth to ask for them")
    if api_key == "":
        raise SettingsError(
            "--api-key: the key is empty, so nobody would be asked for one; give a key, or leave it out"
        )


def _log_to_stderr(level: int) -> None:
    """Write our own log from that level on; what other libraries say below a warning stays unsaid."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("tabwright")
    log.addHandler(handler)
    log.setLevel(level)


def _announce(url: str) -> None:
    typer.echo(f"Tabwright is ready: {url}  (Ctrl-C stops it)")
