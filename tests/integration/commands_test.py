"""The one-off commands that advisories name: before the stop in the old version, after the commit in the new one."""
import signal
import unittest

import machine
from machine import Machine, slow, wait_until

machine.need_engine()

FACTS = """format: 1
newest_known: 1.18.0
advisories:
  - {id: look-first, kind: before, from: "<1.12.1", to: ">=1.12.1", service: api, text: Looks at what is there., source: here,
     commands: [test ! -e /app/api/storage/linger || sleep 300, test -e /app/api/storage/may-go]}
  - {id: fill-in, kind: after, from: "<1.12.1", to: ">=1.12.1", service: api, text: Fills in., source: here,
     commands: [echo begun >>/app/api/storage/ran; until test -e /app/api/storage/may-end; do sleep 0.2; done; echo slow >>/app/api/storage/ran,
                echo failing >>/app/api/storage/ran; echo no such plugin >&2; test -e /app/api/storage/may-go-on,
                echo last >>/app/api/storage/ran]}
  - {id: sweep, kind: after, from: "<1.12.1", to: ">=1.12.1", service: api, text: Sweeps., source: here,
     commands: [flask --version >>/app/api/storage/swept]}
renamed_keys: {}
"""


class Commands(unittest.TestCase):
    def setUp(self):
        self.m = Machine("1.11.4")
        self.addCleanup(self.m.close)
        (self.m.folder / "advisories.yaml").write_text(FACTS)
        self.files = self.m.storage / "app/storage"
        self.m.serve().await_phase("serving")

    def upgrade(self, *more):
        words = [word for each in ("look-first", "fill-in", "sweep") for word in ("--acknowledge", each)]
        return self.m.difyd("upgrade", "1.12.1", *words, *more)

    def lines(self, name):
        path = self.files / name
        return path.read_text().splitlines() if path.exists() else []

    def owed(self):
        return [(each["command"].split(";")[0].split(" >>")[0], each["state"]) for each in self.m.json("advisories")]

    def commands_left(self):
        return [each for each in self.m.containers() if "-command-" in each or "-before-" in each]

    def test_they_run_where_they_belong_and_are_owed_until_they_did(self):
        text = self.m.difyd("plan", "1.12.1")[1]
        self.assertIn("difyd runs in api, before the stop: test -e /app/api/storage/may-go\n", text)
        self.assertIn("difyd runs in api, once 1.12.1 serves: echo last", text)

        # One that an aborted upgrade left running is ended before it is run again.
        before = self.m.containers()
        (self.files / "linger").touch()
        self.assertEqual(self.upgrade("--no-wait")[0], 0)
        wait_until("the command", lambda: [each for each in self.commands_left() if self.m.containers()[each] == "running"])
        self.assertEqual(self.m.difyd("abort")[0], 0)
        (self.files / "linger").unlink()

        code, out, err = self.upgrade()
        self.assertEqual(code, 4, out + err)
        self.assertIn("cannot upgrade: advisory look-first: test -e /app/api/storage/may-go ended with 1", err)
        self.assertEqual((self.m.containers(), self.lines("ran"), self.m.json("advisories")), (before, [], []))

        (self.files / "may-go").touch()
        code, out, err = self.upgrade()
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.assertIn("up and committed; commands of its advisories follow: difyd advisories", out)

        # A command outlives the daemon, and is not begun a second time; no upgrade begins beside it.
        wait_until("the first one", lambda: self.lines("ran"))
        self.assertEqual(self.owed()[0], ("echo begun", "running"))
        code, _, err = self.m.difyd("upgrade", "1.13.0")
        self.assertEqual(code, 4, err)
        self.assertIn("a command of an advisory still runs: echo begun", err)
        self.m.stop_daemon(signal.SIGKILL)
        self.m.serve().await_phase("serving")
        (self.files / "may-end").touch()
        wait_until("its end", lambda: len(self.lines("ran")) > 2)
        self.assertEqual(self.lines("ran"), ["begun", "slow", "failing"])

        # One that fails is told about; what follows it in its advisory waits, another advisory does not.
        failed = wait_until("the finding", lambda: self.m.findings().get("command-failed"))
        self.assertEqual(failed["severity"], "warning")
        self.assertIn("ended with 1: no such plugin; its output: ", failed["detail"])
        log = failed["detail"].split("its output: ")[1]
        with open(log) as kept:
            self.assertEqual(kept.read(), "no such plugin\n")
        self.assertIn("difyd advisories run fill-in", failed["remedy"])
        wait_until("the other advisory", lambda: self.lines("swept"))
        wait_until("what is left", lambda: self.owed() == [("echo failing", "failed"), ("echo last", "waiting")])
        wait_until("nothing is left behind", lambda: not self.commands_left(), 20)

        (self.files / "may-go-on").touch()
        code, out, err = self.m.difyd("advisories", "run", "fill-in")
        self.assertEqual(code, 0, out + err)
        wait_until("nothing is owed", lambda: self.owed() == [])
        self.assertEqual(self.lines("ran"), ["begun", "slow", "failing", "failing", "last"])
        self.assertFalse({"command-failed", "command-owed"} & set(self.m.findings()))
        wait_until("nothing is left behind", lambda: not self.commands_left(), 20)
        code, _, err = self.m.difyd("advisories", "drop", "fill-in")
        self.assertEqual(code, 2, err)
        self.assertIn("there is no command of advisory fill-in to run", err)

    @slow
    def test_down_ends_one_and_up_begins_it_again(self):
        (self.files / "may-go").touch()
        code, out, err = self.upgrade()
        self.assertEqual(code, 0, out + err + self.m.tail())
        wait_until("the first one", lambda: self.lines("ran"))
        self.assertEqual(self.m.difyd("down")[0], 0)
        wait_until("nothing is left behind", lambda: not self.commands_left(), 20)
        self.assertEqual(len(self.owed()), 4)
        self.assertEqual(self.m.difyd("up")[0], 0)
        wait_until("it is begun again", lambda: self.lines("ran") == ["begun", "begun"])
        self.assertEqual(self.m.difyd("advisories", "drop", "fill-in")[0], 0)
        wait_until("nothing is owed", lambda: self.owed() == [])
        self.assertTrue(self.lines("swept"))
        self.assertEqual(self.lines("ran"), ["begun", "begun"])
        wait_until("nothing is left behind", lambda: not self.commands_left(), 20)


if __name__ == "__main__":
    unittest.main()
