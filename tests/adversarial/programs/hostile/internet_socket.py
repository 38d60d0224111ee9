# ruff: noqa
# expect: failed PermissionError
# Opens an internet socket.
import socket


def task(numbers):
    socket.socket(socket.AF_INET, socket.SOCK_STREAM)
