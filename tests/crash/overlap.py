"""Which versions of Dify were on the databases at one time: told by PostgreSQL's csvlog alone, never by difyd.

The stand-ins name their sessions dify-<version>-<service>, the migrator is difyd-migrate-<upgrade>; the server logs
each connection with its application_name, and each end."""
import csv
import datetime
import pathlib
import re

AUTHORIZED = re.compile(r"application_name=(\S+)")
# The plugin daemon has versions of its own.
DIFY = re.compile(r"dify-(.+)-(api|worker|beat|flask)$")


class Session:
    def __init__(self, name, begin):
        self.name, self.begin, self.end = name, begin, None

    @property
    def kind(self):
        """The version of Dify, or "migrator"."""
        found = DIFY.match(self.name)
        return found.group(1) if found else "migrator"

    def meets(self, other):
        return self.begin < (other.end or LATEST) and other.begin < (self.end or LATEST)

    def __repr__(self):
        return f"{self.name} {self.begin:%H:%M:%S.%f}..{self.end and format(self.end, '%H:%M:%S.%f')}"


LATEST = datetime.datetime.max


def sessions(folder):
    """Every session of Dify or of a migrator that the log knows, by begin. A restart of the server ends all."""
    open_ones, every = {}, []
    for path in sorted(pathlib.Path(folder).glob("*.csv")):
        with open(path, newline="", encoding="utf-8", errors="replace") as file:
            for row in csv.reader(file):
                if len(row) < 14:  # is being written
                    continue
                time = datetime.datetime.strptime(row[0].rsplit(" ", 1)[0], "%Y-%m-%d %H:%M:%S.%f")
                session, message = row[5], row[13]
                if message.startswith("connection authorized"):
                    name = AUTHORIZED.search(message)
                    if name and (DIFY.match(name.group(1)) or name.group(1).startswith("difyd-migrate-")):
                        open_ones[session] = Session(name.group(1), time)
                        every.append(open_ones[session])
                elif message.startswith("disconnection") and session in open_ones:
                    open_ones.pop(session).end = time
                elif "database system is ready to accept connections" in message:
                    for each in open_ones.values():
                        each.end = time
                    open_ones.clear()
    return every


def overlaps(folder):
    """Pairs of sessions of two versions, or of a migrator and a version, that were there at one time."""
    every = sessions(folder)
    return [(a, b) for i, a in enumerate(every) for b in every[i + 1:] if a.kind != b.kind and a.meets(b)]
