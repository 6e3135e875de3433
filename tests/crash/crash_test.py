"""difyd is killed with SIGKILL in the middle of upgrades, started again, and left alone.

By default at every journal write of one upgrade that is seen, and at a few random instants; DIFYD_TEST_ALL=1: 200 of them.
DIFYD_CRASH_SEED repeats a run."""
import json
import os
import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(os.environ["DIFYD_SOURCE"]) / "tests/integration"))
import machine  # noqa: E402
import overlap  # noqa: E402
from machine import Machine, get, wait_until  # noqa: E402

machine.need_engine()

SEED = os.environ.get("DIFYD_CRASH_SEED") or str(random.randrange(1 << 32))
KILLS = 200 if os.environ.get("DIFYD_TEST_ALL") else 4
HOPS = ["1.11.4", "1.12.1", "1.12.5"]


class Crash(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.11.3", settings="upgrade: {drain_grace: 0s, start_timeout: 60s, worker_stop_limit: 5s}\n")
        self.addCleanup(self.m.close)
        self.m.serve().await_phase("serving")
        self.m.set_up()

    def ledger(self):
        return json.loads((self.m.folder / "storage/.difyd/ledger.json").read_text())

    def entries(self):
        return [(e["step"], e["state"]) for e in (self.ledger()["in_flight"] or {"entries": []})["entries"]]

    def begin(self, version):
        code, out, err = self.m.difyd("upgrade", "--no-wait", version)
        self.assertEqual(code, 0, out + err)

    def kill_and_serve(self):
        self.m.stop_daemon(signal.SIGKILL)
        self.assertIn("format", self.ledger(), "the ledger is readable after the kill")
        self.m.serve()

    def ends_well(self, version):
        """Nothing was lost, and what runs, what the ledger says and what the database holds are one version."""
        self.m.await_phase("serving", seconds=180)
        self.assertEqual(self.m.status()["deployed"], version)
        self.assertEqual(self.ledger()["in_flight"], None)
        self.assertEqual(self.ledger()["history"][-1]["result"], "done")
        schema = self.m.sql("select version_num from alembic_version")
        self.assertEqual(self.ledger()["deployed"]["revision"], schema)
        state = self.m.data_state()
        self.assertTrue(self.m.is_set_up(), state)
        images = self.m.docker("ps", "--filter", f"label=com.docker.compose.project={self.m.project}",
                               "--filter", "label=com.docker.compose.service=api", "--format", "{{.Image}}")
        self.assertEqual(images.split(), [f"langgenius/dify-api:{version}"])
        self.assertEqual(get(self.m.http, "/console/api/ping")[0], 200)
        log = self.m.postgres["DIFYD_POSTGRES_LOGS"]
        self.assertLessEqual({version, "migrator"}, {each.kind for each in overlap.sessions(log)})
        self.assertEqual(overlap.overlaps(log), [])

    def test_killed_at_every_journal_write(self):
        self.begin("1.12.1")
        killed = []
        end = time.monotonic() + 400
        while self.ledger()["history"][-1]["to"] != "1.12.1":
            self.assertLess(time.monotonic(), end, f"killed at {killed}\n{self.m.tail()}")
            last = (self.entries() or [None])[-1]
            if last is None or last in killed:
                time.sleep(0.001)
                continue
            killed.append(last)
            self.kill_and_serve()
        # An entry that the next one follows within milliseconds can be missed.
        self.assertGreaterEqual(len(killed), 5, killed)
        self.assertLessEqual({"drain", "stop", "migrate", "start"}, {step for step, _ in killed})
        self.ends_well("1.12.1")

    def test_killed_at_random_instants(self):
        print(f"DIFYD_CRASH_SEED={SEED}", flush=True)
        instants, kills = random.Random(SEED), 0
        while kills < KILLS:
            if self.m.status()["deployed"] == HOPS[-1]:
                self.m.close()
                self.setUp()
            version = next(v for v in HOPS if machine_order(v) > machine_order(self.m.status()["deployed"]))
            self.begin(version)
            for _ in range(2):
                time.sleep(instants.uniform(0, 12))
                if self.m.status()["deployed"] == version:
                    break
                self.kill_and_serve()
                kills += 1
            self.ends_well(version)


def machine_order(version):
    return [int(part) for part in version.split(".")]


if __name__ == "__main__":
    unittest.main()
