# ruff: noqa
# expect: failed PermissionError: \[Errno 1\] Operation not permitted
# Opens an internet socket.
import socket


def task(numbers):
    socket.socket(socket.AF_INET, socket.SOCK_STREAM)
