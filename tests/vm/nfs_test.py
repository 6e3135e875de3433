"""difyd with storage.manage and a real NFS export, which the virtual machine serves to itself.

The machine has no Docker: what is shown is the storage. The cases follow one another."""
import datetime
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

import vm
from vm import sh, wait_until

BUILD = os.environ.get("DIFYD_BUILD", "")
UNIT = "srv-dify.mount"
CONFIGURATION = """version: 1.11.4
storage:
  root: /srv/dify
  kind: nfs
  server: 127.0.0.1
  export: /srv/export
  manage: true
  remount_after: 5s
database:
  kind: bundled
redis:
  kind: bundled
health:
  probe_interval: 2s
"""
# The export is a file system of its own, so that it can be made anew.
SERVER = """
groupadd --system docker
modprobe loop
mkdir -p /srv/export
[ -e /var/lib/export ] || { truncate -s 200M /var/lib/export; mkfs.ext4 -q /var/lib/export; }
mountpoint -q /srv/export || mount -o loop /var/lib/export /srv/export
echo '/srv/export 127.0.0.1(rw,sync,no_subtree_check,no_root_squash,fsid=1)' >/etc/exports
systemctl start nfs-server
exportfs -ra
"""


def skip_unless_possible():
    missing = [program for program in ("qemu-system-x86_64", "mmdebstrap", "mkfs.ext4", "cmake", "objdump")
               if not shutil.which(program)]
    reason = (not os.environ.get("DIFYD_TEST_ALL") and "boots a virtual machine; DIFYD_TEST_ALL=1 runs it"
              or os.geteuid() != 0 and "needs root"
              or missing and "not installed: " + ", ".join(missing))
    if reason:
        print("skipped: " + reason)
        sys.exit(77)


def measured(what, seconds):
    print(f"  measured: {what}: {seconds:.2f} s", file=sys.stderr, flush=True)


class Nfs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="difyd-install-")
        cls.addClassCleanup(shutil.rmtree, folder)
        sh("cmake", "--install", BUILD, env=dict(os.environ, DESTDIR=folder))
        programs = [path for path in pathlib.Path(folder).rglob("difyd*") if path.is_file() and os.access(path, os.X_OK)]

        def prepare(root):
            for below in pathlib.Path(folder).iterdir():
                sh("cp", "-a", str(below), str(root))
            (root / "etc/difyd").mkdir()
            (root / "etc/difyd/difyd.yaml").write_text(CONFIGURATION)
            # A server that has restarted keeps its clients waiting for 90 s otherwise.
            (root / "etc/nfs.conf.d").mkdir(exist_ok=True)
            (root / "etc/nfs.conf.d/test.conf").write_text("[nfsd]\ngrace-time=5\nlease-time=5\n")
            for each in ("nfs-server", "nfs-kernel-server"):
                (root / "etc/systemd/system" / f"multi-user.target.wants/{each}.service").unlink(missing_ok=True)

        cls.machine = vm.Machine(vm.packages_of(programs), prepare)
        cls.addClassCleanup(cls.machine.close)
        measured("boot", cls.machine.boot())
        cls.machine.shell(SERVER, timeout=120)

    def mounted(self):
        out = self.machine.tries("cat", "/proc/self/mountinfo")[1]
        return [line.split(" - ")[1] for line in out.splitlines() if line.split()[4] == "/srv/dify"]

    def finding(self, subject="storage"):
        out = self.machine.tries("curl", "-s", "-m", "20", "--unix-socket", "/run/difyd/difyd.sock", "http://x/v1/checks")[1]
        found = [each for each in json.loads(out) if each["subject"] == subject] if out else []
        order = ["ok", "info", "warning", "error", "critical"]
        return max(reversed(found), key=lambda each: order.index(each["severity"])) if found else {"code": "", "detail": ""}

    def journal(self):
        return self.machine.tries("journalctl", "-u", "difyd", "-u", UNIT, "-n", "30", "--no-pager", "-o", "cat")[1]

    def await_code(self, code, subject="storage", seconds=120):
        began = time.monotonic()
        try:
            wait_until(f"{subject} is {code}", lambda: self.finding(subject)["code"] == code, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.finding(subject)}\n{self.mounted()}\n{self.journal()}") from None
        return time.monotonic() - began

    def healthz(self):
        """Code and seconds."""
        out = self.machine.run("curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code} %{time_total}",
                               "http://127.0.0.1:9180/healthz").split()
        return out[0], float(out[1])

    def check_healthz(self):
        answers = [self.healthz() for _ in range(20)]
        self.assertEqual({code for code, _ in answers}, {"200"})
        measured("/healthz, the slowest of 20", max(took for _, took in answers))

    def test_1_the_export_is_mounted(self):
        code, _, err = self.machine.tries("systemctl", "enable", "--now", "difyd", "difyd-health", timeout=120)
        self.assertEqual(code, 0, err + self.journal())
        measured("until the storage is well", self.await_code("storage-writable"))
        fstype, source, options = self.mounted()[0].split()
        self.assertIn(fstype, ("nfs", "nfs4"))
        self.assertEqual(source, "127.0.0.1:/srv/export")
        for option in ("hard", "timeo=600", "retrans=3", "proto=tcp"):
            self.assertIn(option, options.split(","))
        self.assertEqual(self.machine.run("systemctl", "is-active", UNIT).strip(), "active")
        self.assertEqual(self.machine.run("stat", "-c", "%u", "/srv/export/.difyd/probe").strip(), "1001")
        self.check_healthz()

    def test_2_a_server_that_is_away_hangs_nothing_and_is_waited_for(self):
        self.machine.run("systemctl", "stop", "nfs-server", timeout=120)
        measured("noticed", self.await_code("storage-hung"))
        self.await_code("server-refuses", "storage.server")
        self.assertEqual(self.finding("storage.second-mount")["code"], "second-mount-fails")
        self.check_healthz()
        began = time.monotonic()
        self.machine.run("systemctl", "stop", "difyd", timeout=60)
        took = time.monotonic() - began
        measured("systemctl stop difyd, meanwhile", took)
        self.assertLess(took, 30)  # systemd kills after 45 s
        self.machine.run("systemctl", "start", "difyd", timeout=60)
        began = time.monotonic()
        self.machine.run("systemctl", "restart", "difyd-health", timeout=60)
        measured("systemctl restart difyd-health, meanwhile", time.monotonic() - began)
        self.await_code("storage-hung")
        self.check_healthz()
        self.assertEqual(len(self.mounted()), 1)
        self.machine.run("systemctl", "start", "nfs-server", timeout=120)
        measured("well again after the server is back", self.await_code("storage-writable"))
        self.check_healthz()

    def test_3_a_mount_that_is_gone_comes_back(self):
        # A look at the storage may be at it just then.
        wait_until("it is unmounted", lambda: self.machine.tries("umount", "/srv/dify")[0] == 0, 30)
        measured("mounted again", self.await_code("storage-writable"))
        wait_until("it is in the table", lambda: len(self.mounted()) == 1, 60)
        self.assertEqual(self.machine.run("systemctl", "is-active", UNIT).strip(), "active")

    def test_4_an_export_that_is_made_anew_is_mounted_again(self):
        self.machine.shell("""exportfs -ua; systemctl stop nfs-server; umount /srv/export; mkfs.ext4 -q -F /var/lib/export
                           mount -o loop /var/lib/export /srv/export; systemctl start nfs-server; exportfs -ra""", timeout=180)
        measured("well again", self.await_code("storage-writable"))
        self.assertEqual(self.machine.run("stat", "-c", "%u", "/srv/export/.difyd/probe").strip(), "1001")
        self.assertEqual(len(self.mounted()), 1)

    def test_5_another_export_in_the_configuration(self):
        self.machine.shell("""mkdir -p /srv/export/other; sed -i 's|export: .*|export: /srv/export/other|' /etc/difyd/difyd.yaml
                           systemctl restart difyd""", timeout=120)
        wait_until("the other one is mounted",
                   lambda: [each.split()[1] for each in self.mounted()] == ["127.0.0.1:/srv/export/other"], 120)
        self.await_code("storage-writable")

    def test_6_a_server_that_reads_and_does_not_write_is_waited_for(self):
        mount_id = lambda: self.machine.run("findmnt", "-n", "-o", "ID", "/srv/dify").strip()
        before = mount_id()
        self.machine.run("fsfreeze", "-f", "/srv/export")
        try:
            measured("noticed", self.await_code("storage-hung"))
            self.await_code("second-mount-fails", "storage.second-mount")
            since = datetime.datetime.fromisoformat(self.finding()["since"]).timestamp()
            wait_until("remount_after has passed", lambda: int(self.machine.run("date", "+%s")) - since > 20, 120)
            self.assertEqual(self.finding("storage.second-mount")["code"], "second-mount-fails")
            self.check_healthz()
        finally:
            self.machine.run("fsfreeze", "-u", "/srv/export")
        measured("well again after the thaw", self.await_code("storage-writable"))
        self.assertEqual(mount_id(), before)

    def test_7_the_root_is_squashed(self):
        self.machine.shell("""sed -i s/no_root_squash/root_squash/ /etc/exports; exportfs -ra""", timeout=60)
        self.await_code("storage-not-writable")
        self.machine.shell("""sed -i s/root_squash/no_root_squash/ /etc/exports; exportfs -ra""", timeout=60)
        self.await_code("storage-writable")


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main(failfast=True)
