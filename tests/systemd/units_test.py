"""host::systemd inside a booted box: jobs and their results, a bus that hangs or is gone, users who may not."""
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

import box

TOOL = sys.argv.pop(1)


def skip_unless_possible():
    missing = [program for program in ("systemd-nspawn", "mmdebstrap", "nsenter", "objdump") if not shutil.which(program)]
    reason = (not os.environ.get("DIFYD_TEST_ALL") and "boots a system; DIFYD_TEST_ALL=1 runs it"
              or os.geteuid() != 0 and "needs root"
              or missing and "not installed: " + ", ".join(missing))
    if reason:
        print("skipped: " + reason)
        sys.exit(77)


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = box.Box(box.packages_of([pathlib.Path(TOOL)]))
        cls.addClassCleanup(cls.machine.close)
        shutil.copy(TOOL, cls.machine.root / "usr/local/bin/units")
        cls.machine.boot()

    def unit(self, name, text):
        (self.machine.root / "etc/systemd/system" / name).write_text(text)
        self.machine.run("systemctl", "daemon-reload")

    def service(self, name, start, extra=""):
        self.unit(name, f"[Service]\n{extra}ExecStart={start}\n")

    def units(self, *words, user=()):
        code, out, err = self.machine.tries(*user, "/usr/local/bin/units", *words)
        self.assertIn(code, (0, 1), out + err)
        return out.strip()

    def pid(self, name):
        return self.machine.run("systemctl", "show", "-P", "MainPID", name).strip()

    def test_a_service(self):
        self.service("first.service", "/bin/sleep 1000")
        self.assertEqual(self.units("state", "first.service"), "loaded inactive success /etc/systemd/system/first.service")
        self.assertEqual(self.units("start", "first.service"), "")
        first = self.pid("first.service")
        self.assertTrue(self.units("state", "first.service").startswith("loaded active "))
        self.assertEqual(self.units("restart", "first.service"), "")
        self.assertNotIn(self.pid("first.service"), ("0", first))
        self.assertEqual(self.units("stop", "first.service"), "")
        self.assertTrue(self.units("state", "first.service").startswith("loaded inactive "))

    def test_what_is_not_there(self):
        self.assertEqual(self.units("state", "no.service"), "not-found inactive success")
        self.assertTrue(self.units("start", "no.service").startswith("unit-missing: cannot start no.service: "))

    def test_what_fails(self):
        self.service("bad.service", "/bin/false", "Type=oneshot\n")
        said = self.units("start", "bad.service")
        self.assertTrue(said.startswith('unit-failed: cannot start bad.service: its job ended as "failed" (exit-code)'), said)
        self.assertIn("journalctl -u bad.service", said)

    def test_a_start_that_takes_longer_than_there_is_time(self):
        self.service("slow.service", "/bin/sleep 1000", "Type=oneshot\nTimeoutStartSec=infinity\n")
        began = time.monotonic()
        self.assertTrue(self.units("start", "slow.service", "700").startswith("deadline-exceeded: "))
        self.assertLess(time.monotonic() - began, 5)
        self.machine.run("systemctl", "stop", "slow.service")

    def test_a_unit_that_systemd_gave_up_on(self):
        self.unit("often.service", "[Unit]\nStartLimitBurst=1\nStartLimitIntervalSec=1000\n[Service]\nExecStart=/bin/sleep 1000\n")
        for _ in range(3):
            self.assertEqual(self.units("restart", "often.service"), "")

    def test_new_files_are_read(self):
        path = pathlib.Path(f"/proc/{self.machine.pid1}/root/run/systemd/system/tmp-here.mount")
        path.parent.mkdir(exist_ok=True)
        path.write_text("[Mount]\nWhat=tmpfs\nWhere=/tmp/here\nType=tmpfs\n")
        self.assertEqual(self.units("reload"), "")
        self.assertEqual(self.units("start", "tmp-here.mount"), "")
        self.assertEqual(self.units("state", "tmp-here.mount"),
                         "loaded active success /run/systemd/system/tmp-here.mount tmpfs")
        self.assertEqual(self.units("stop", "tmp-here.mount"), "")

    def test_who_is_not_root_is_refused(self):
        self.service("a.service", "/bin/sleep 1000")
        said = self.units("start", "a.service", user=("setpriv", "--reuid=nobody", "--clear-groups"))
        self.assertTrue(said.startswith("systemd-refused: "), said)

    def test_a_bus_that_hangs(self):
        self.service("a.service", "/bin/sleep 1000")
        bus = int(self.pid("dbus.service"))
        self.machine.run("kill", "-STOP", str(bus))
        try:
            self.assertEqual(self.units("restart", "a.service", "6000"), "")
            said = self.units("state", "a.service", "1500", user=("setpriv", "--reuid=nobody", "--clear-groups"))
            self.assertTrue(said.startswith("deadline-exceeded: "), said)
        finally:
            self.machine.run("kill", "-CONT", str(bus))

    def test_a_machine_without_a_bus(self):
        self.service("a.service", "/bin/sleep 1000")
        self.machine.run("systemctl", "stop", "dbus.socket", "dbus.service")
        try:
            self.assertEqual(self.units("restart", "a.service"), "")
        finally:
            self.machine.run("systemctl", "start", "dbus.socket")

    @unittest.skipIf(os.path.isdir("/run/systemd/system"), "this machine was started by systemd")
    def test_another_init(self):
        done = subprocess.run([TOOL, "restart", "a.service"], text=True, capture_output=True, check=False, timeout=5)
        self.assertTrue(done.stdout.startswith("systemd-missing: cannot restart a.service: "), done.stdout)


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main()
