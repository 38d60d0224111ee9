# ruff: noqa
# expect: failed PermissionError: \[Errno 1\] Operation not permitted
# Asks the kernel about the network.
import socket


def task(numbers):
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
