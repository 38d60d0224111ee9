# ruff: noqa
# expect: failed PermissionError
# Starts a shell.
import subprocess


def task(numbers):
    subprocess.run(["/bin/sh", "-c", "true"], check=True)
