# ruff: noqa
# expect: failed PermissionError: \[Errno 1\] Operation not permitted
# Opens a unix socket, as for an abstract address.
import socket


def task(numbers):
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect("\0host")
