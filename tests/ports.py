"""Ports for what a test starts."""
import fcntl
import pathlib
import random
import socket
import tempfile


class Ports:
    """A hundred ports of this process alone, none of which the kernel hands out: between being found free and being
    used a port would else be another test's. The lock is the process's, and ends with it."""

    def __init__(self):
        self.ports = []

    def take(self):
        for first in random.sample(range(10000, 20000, 100), 100):
            self.lock = open(pathlib.Path(tempfile.gettempdir()) / f"difyd-test-ports-{first}.lock", "w")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return list(range(first, first + 100))
            except BlockingIOError:
                self.lock.close()
        raise AssertionError("no hundred ports between 10000 and 19999 are left")

    def free(self):
        """The one that was given away longest ago and is free."""
        self.ports = self.ports or self.take()
        for _ in self.ports:
            port = self.ports.pop(0)
            self.ports.append(port)
            with socket.socket() as probe:
                try:
                    probe.bind(("", port))
                    return port
                except OSError:
                    continue
        raise AssertionError(f"none of {min(self.ports)} to {max(self.ports)} is free")


free_port = Ports().free
