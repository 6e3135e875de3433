"""A machine whose upgrades meet with mishaps, and what must be true after each.

A mishap is a value: the point of an upgrade (an entry of its journal) and what is then done to the world."""
import dataclasses
import hashlib
import json
import os
import pathlib
import random
import signal
import sys
import threading
import time
import typing

sys.path.insert(0, str(pathlib.Path(os.environ["DIFYD_SOURCE"]) / "tests/integration"))
import machine  # noqa: E402
import overlap  # noqa: E402
from machine import ALL, Machine, get, slow, wait_until  # noqa: E402, F401

SEED = os.environ.get("DIFYD_CRASH_SEED") or str(random.randrange(1 << 32))

STEPS = ["drain", "stop", "backup", "migrate", "start", "verify", "commit"]
HOPS = ["1.11.3", "1.11.4", "1.12.1", "1.12.5", "1.13.0", "1.13.3", "1.14.0"]
# The migration to this one takes its time; no other version knows its revision.
LONG, MIGRATION = "1.12.7", 6
# The backup makes its step long enough to be met.
SETTINGS = ("upgrade: {drain_grace: 0s, start_timeout: 60s, worker_stop_limit: 5s, backup: command, "
            "backup_command: [/bin/sleep, '0.5']}\n")
KEY = int.from_bytes(hashlib.sha256(b"difyd").digest()[:8], "big", signed=True)  # of the lease
NO_ADVISORIES = "format: 1\nnewest_known: 99.0.0\nadvisories: []\n"


@dataclasses.dataclass(frozen=True)
class Mishap:
    step: str
    do: typing.Callable  # of the scene
    state: str = "begin"


class Scene:
    """One machine (`m`) with seeded data, and others beside it."""

    def __init__(self, test, version=HOPS[0], start=True, **of_machine):
        self.test, self.others = test, []
        self.m = self.make(version, **of_machine)
        self.ledger_file = self.m.storage / ".difyd/ledger.json"
        if start:
            self.m.serve().await_phase("serving")
            self.seed()

    def make(self, version, **of_machine):
        one = Machine(version, settings=SETTINGS, **of_machine)
        self.test.addCleanup(one.close)
        (one.folder / "advisories.yaml").write_text(NO_ADVISORIES)
        text = one.config.read_text()
        one.config.write_text(text.replace("environment:\n", f'environment:\n  SIMULATOR_MIGRATION_SECONDS: "{MIGRATION}"\n'))
        return one

    def second(self, version=HOPS[0]):
        """Another machine on the same databases and share."""
        self.others.append(self.make(version, database_of=self.m, share_of=self.m))
        return self.others[-1]

    def seed(self):
        self.m.set_up()
        self.upload = self.m.storage / "app/storage/upload_files/a"
        self.upload.parent.mkdir(parents=True, exist_ok=True)
        self.upload.write_text("what a user uploaded")

    def ledger(self):
        return json.loads(self.ledger_file.read_text())

    def entries(self):
        return [(e["step"], e["state"]) for e in (self.ledger()["in_flight"] or {"entries": []})["entries"]]

    def deployed(self):
        return self.ledger()["deployed"]["version"]

    def next_version(self):
        return HOPS[HOPS.index(self.deployed()) + 1]

    def upgrade(self, version, *mishaps, seconds=240):
        """Upgrades and lets each mishap happen once; the result, with everything proven that must be true then."""
        before, known = self.deployed(), self.ends()
        code, out, err = self.m.difyd("upgrade", "--no-wait", version)
        self.test.assertEqual(code, 0, out + err + self.m.tail())
        return self.see_through(version, before, known, list(mishaps), seconds)

    def ends(self):
        return [(each["id"], each["result"], each["ended_at"]) for each in self.ledger()["history"]]

    def see_through(self, version, before, known, mishaps=(), seconds=240):
        left, end, look = list(mishaps), time.monotonic() + seconds, time.monotonic() + 20
        while self.ends() == known:
            if time.monotonic() > look:
                if self.refused(version):
                    return self.check_refused(before)
                look = time.monotonic() + 5
            if time.monotonic() > end:
                raise AssertionError(f"no end of the upgrade to {version}: {self.entries()}\n"
                                     f"{self.m.difyd('status')[1]}\n{self.m.tail()}")
            entries = self.entries()
            for each in [m for m in left if (m.step, m.state) in entries]:
                left.remove(each)
                each.do(self)
            time.sleep(0.005)
        self.test.assertEqual([m.step for m in left if m.state == "begin"], [], f"was not met\n{self.m.tail()}")
        return self.check(version, before)

    def refused(self, version):
        code, out, _ = self.m.difyd("status", "--json")
        operation = json.loads(out).get("operation") or {} if code == 0 else {}
        return operation.get("to") == version and operation.get("result") == "refused"

    def check_refused(self, before):
        """Nothing was changed, and nothing is left of it in the ledger, though its first entry may have landed."""
        wait_until("nothing in flight", lambda: self.ledger()["in_flight"] is None, 60)
        self.test.assertEqual((self.m.await_phase("serving")["deployed"], self.deployed(), self.images()), (before, before, {before}))
        self.test.assertEqual(self.overlaps(), [])
        print(f"  {before}: refused", flush=True)
        return "refused"

    def check(self, version, before):
        """The invariants at the end of an upgrade, whatever was done to the world; "done", "undone" or "held"."""
        test, m = self.test, self.m
        book = self.ledger()
        result = book["history"][-1]["result"]
        test.assertIn(result, ("done", "undone", "held"))
        status = m.await_phase("holding" if result == "held" else "serving", seconds=120)
        test.assertEqual(self.overlaps(), [])
        schema = m.sql("select version_num from alembic_version")
        runs = self.images()
        if result == "held":
            test.assertTrue(status["message"])
            test.assertTrue(1 <= len(status["options"]) <= 3, status)
            test.assertIn("upgrade-held", m.findings())
            test.assertLessEqual(runs, {version}, "nothing but the new version may run in a hold")
        else:
            wanted = version if result == "done" else before
            test.assertEqual((status["deployed"], book["deployed"]["version"]), (wanted, wanted))
            test.assertEqual(book["in_flight"], None)
            test.assertEqual(book["deployed"]["revision"], schema)
            test.assertEqual(runs, {wanted})
            wait_until("Dify answers", lambda: get(m.http, "/console/api/ping")[0] == 200, 60)
            # Only what difyd looks after is in its status.
            test.assertLessEqual({"api", "worker", "nginx"}, {each["service"] for each in status["services"]})
            wait_until("Dify says that it is set up", m.is_set_up, 60)
            test.assertTrue(all(each["private_key_fits"] for each in m.data_state()["tenants"]), m.data_state())
        test.assertEqual(m.sql("select count(*) from dify_setups"), "1")
        test.assertEqual(self.upload.read_text(), "what a user uploaded")
        print(f"  {before} -> {version}: {result}", book["history"][-1]["reason"], flush=True)
        return result

    def images(self):
        """Versions of the api's image that run in the project, workers and one-off containers included."""
        names = self.m.on_engine("ps", "--filter", f"label=com.docker.compose.project={self.m.project}", "--format", "{{.Image}}")
        return {name.rsplit(":", 1)[1] for name in names.split() if name.startswith("langgenius/dify-api:")}

    def sessions(self):
        return overlap.sessions(self.m.postgres["DIFYD_POSTGRES_LOGS"])

    def overlaps(self):
        self.test.assertTrue(self.sessions(), "the log tells nothing")
        return overlap.overlaps(self.m.postgres["DIFYD_POSTGRES_LOGS"])

    def at_every_step(self, do, steps=STEPS):
        """One upgrade for each step in which `do` happens. What is held goes forward, as an operator would have it."""
        results = {}
        for step in steps:
            if self.deployed() == HOPS[-1]:
                self.m.close()
                self.__init__(self.test)
            version = self.next_version()
            results[step] = self.upgrade(version, Mishap(step, do))
            if results[step] == "held":
                self.test.assertEqual(self.upgrade(version), "done")
        return results

    # What is done to the world.

    def await_migrator(self):
        wait_until("the migrator's session", lambda: self.m.sql(
            "select count(*) from pg_stat_activity where application_name like 'difyd-migrate-%'") != "0", 60)

    def end_lease(self, looked_at=0):
        """The backend that holds it ends; for some seconds somebody else has the lock, as one has who reads the row."""
        lock = "from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = 'difyd')"
        if looked_at:
            self.m.start_sql(f"select pg_advisory_lock({KEY}), pg_sleep({looked_at})", "postgres", "difyd")
            wait_until("somebody waits for the lock", lambda: self.m.sql(f"select count(*) {lock} and not granted") != "0", 60)
        self.test.assertEqual(self.m.sql(f"select pg_terminate_backend(pid) {lock} and granted"), "t")

    def kill_difyd(self, *before):
        self.m.stop_daemon(signal.SIGKILL)
        self.test.assertIn("format", self.ledger(), "the ledger is readable after the kill")
        self.m.serve(*before)

    def freeze(self, frozen=True):
        """All processes of difyd; they are one session."""
        session = os.getsid(self.m.daemon.pid)
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.getsid(int(entry.name)) == session:
                        os.kill(int(entry.name), signal.SIGSTOP if frozen else signal.SIGCONT)
                except ProcessLookupError:
                    pass

    def later(self, seconds, work):
        timer = threading.Timer(seconds, work)
        self.test.addCleanup(timer.join)
        timer.start()
