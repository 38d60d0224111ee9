"""One end of a connection: what the other side does or leaves undone takes no longer than the deadline says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tabwright.sandbox.channel import Channel, HungUp, TooLarge, TooLate

Ends = tuple[Channel, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours, 1 << 20)
    channel.renew(0.5)
    with theirs:
        yield channel, theirs
    channel.close()


def test_a_reader_that_takes_its_time_does_not_hold_up_the_sender(ends: Ends) -> None:
    channel, other = ends
    over = threading.Event()

    def read_slowly() -> None:
        while not over.wait(0.1):
            other.recv(1 << 14)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    started = time.monotonic()
    with pytest.raises(TooLate):
        channel.send(bytes(8 << 20))
    assert 0.4 < time.monotonic() - started < 1.5
    over.set()
    reader.join()


def test_a_sender_that_takes_its_time_does_not_hold_up_the_reader(ends: Ends) -> None:
    channel, other = ends
    other.sendall((100).to_bytes(4, "big"))

    def drip() -> None:
        for _ in range(20):
            time.sleep(0.1)
            try:
                other.send(b"x")
            except OSError:
                return

    sender = threading.Thread(target=drip)
    started = time.monotonic()
    sender.start()
    with pytest.raises(TooLate):
        channel.receive()
    assert 0.4 < time.monotonic() - started < 1.5
    channel.close()
    sender.join()


def test_silence_ends_at_the_deadline_and_what_ended_stays_so(ends: Ends) -> None:
    channel, other = ends
    started = time.monotonic()
    with pytest.raises(TooLate):
        channel.receive()
    assert 0.4 < time.monotonic() - started < 1.5
    other.sendall((0).to_bytes(4, "big"))
    with pytest.raises(TooLate):
        channel.receive()


def test_more_than_is_accepted(ends: Ends) -> None:
    channel, other = ends
    other.sendall((0).to_bytes(4, "big") + (1 << 21).to_bytes(4, "big"))
    assert channel.receive() == b""
    with pytest.raises(TooLarge, match="an answer of 2097152 bytes"):
        channel.receive()


def test_nobody_is_left(ends: Ends) -> None:
    channel, other = ends
    other.close()
    with pytest.raises(HungUp):
        channel.receive()
