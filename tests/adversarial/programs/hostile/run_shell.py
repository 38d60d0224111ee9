# ruff: noqa
# expect: failed PermissionError: \[Errno 1\] Operation not permitted
# Starts a shell.
import subprocess


def task(numbers):
    subprocess.run(["/bin/sh", "-c", "true"], check=True)
