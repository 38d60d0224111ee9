"""The kernel's part of the sandbox: system calls, file system root, seccomp and Landlock. Knows no program or test."""
