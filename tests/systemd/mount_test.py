"""storage.manage under a real systemd: difyd mounts what is missing, mounts again what hangs, and leaves alone what
is a human's. The share is faultfs (tests/mounts), the stack the simulator's. One box, one day."""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

import box
import systemd_test
from box import sh, wait_until
from systemd_test import BUILD, measured

FAULTFS, HELPER = sys.argv[1:3]
del sys.argv[1:3]
UNIT = "srv-dify.mount"
UNIT_FILE = "/run/systemd/system/" + UNIT
BACKING = "/var/lib/share"
SOURCE = "box:" + BACKING


class Mounts(unittest.TestCase):
    operator = systemd_test.Systemd()  # its eyes and hands
    machine = None
    services = frozenset()  # that run when all is well

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="difyd-install-")
        cls.addClassCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        sh("cmake", "--install", BUILD, env=dict(os.environ, DESTDIR=folder))
        programs = [path for path in pathlib.Path(folder).rglob("difyd*") if path.is_file() and os.access(path, os.X_OK)]
        cls.machine = systemd_test.Systemd.machine = box.Box(box.packages_of(programs))
        cls.addClassCleanup(cls.close)
        cls.machine.boot(options=["--bind=/dev/fuse"])
        cls.machine.load_images(systemd_test.Systemd.images(next(path for path in programs if path.name == "difyd")))
        systemd_test.Systemd.install(folder)
        root = cls.machine.root
        shutil.copy(FAULTFS, root / "usr/local/bin/faultfs")
        shutil.copy(HELPER, root / "usr/sbin/mount.fuse.faultfs")
        (root / BACKING[1:]).mkdir()
        cls.configure()

    @classmethod
    def close(cls):
        # A hung file system would hold the box's end up.
        for pid in cls.faultfs():
            cls.machine.tries("kill", "-KILL", str(pid))
        cls.machine.close()

    @classmethod
    def configure(cls, source=SOURCE, options=""):
        path = cls.machine.root / "etc/difyd/difyd.yaml"
        kept = cls.machine.folder / "difyd.yaml"
        if not kept.exists():
            shutil.copy(path, kept)
        text = kept.read_text()
        storage = f"""storage:
  root: /srv/dify
  kind: mount
  source: {source}
  fstype: fuse.faultfs
  manage: true
  remount_after: 2s
{options}"""
        begin = text.index("\nstorage:") + 1
        end = begin + text[begin:].index("\n\n")
        text = text[:begin] + storage + text[end:]
        if "\nhealth:" not in text:
            text += "\nhealth:\n  probe_interval: 1s\n"
        path.write_text(text)

    @classmethod
    def faultfs(cls):
        return [int(pid) for pid in cls.machine.tries("pgrep", "-x", "faultfs")[1].split()]

    def mounted(self):
        out = self.machine.tries("findmnt", "-n", "-o", "SOURCE,FSTYPE", "/srv/dify")[1]
        return out.split() if out.strip() else []

    def finding(self, subject="storage"):
        """The worst finding about a subject, from the control socket; each probe is asked, and some wait for what hangs."""
        out = self.machine.tries("curl", "-s", "-m", "30", "--unix-socket", "/run/difyd/difyd.sock", "http://x/v1/checks")[1]
        found = [each for each in json.loads(out) if each["subject"] == subject] if out else []
        order = ["ok", "info", "warning", "error", "critical"]
        return max(reversed(found), key=lambda each: order.index(each["severity"])) if found else {"code": "", "detail": ""}

    def await_that(self, what, condition, seconds):
        """As wait_until; where it fails, with what the daemon says of itself."""
        try:
            return wait_until(what, condition, seconds)
        except AssertionError as error:
            said = "\n".join(message for _, _, message in self.machine.journal("-u", "difyd", "-n", "80"))
            raise AssertionError(f"{error}\n{self.machine.tries('difyd', 'status')[1]}\n{said}") from None

    def journal(self, text):
        return [message for _, _, message in self.machine.journal("-u", "difyd") if text in message]

    def test_1_difyd_mounts_and_seeds_it_and_starts_the_stack(self):
        self.machine.run("systemctl", "enable", "--now", "difyd", "difyd-health")
        measured("the stack serves after", self.operator.await_phase("serving"))
        self.assertEqual(self.mounted(), [SOURCE, "fuse.faultfs"])
        self.assertEqual(self.machine.run("systemctl", "show", "-P", "FragmentPath", UNIT).strip(), UNIT_FILE)
        self.assertIn("What=" + SOURCE, self.machine.run("cat", UNIT_FILE))
        backing = self.machine.root / BACKING[1:]
        self.assertTrue((backing / ".difyd/seeded").is_file())
        self.assertTrue((backing / "sandbox/conf/config.yaml").is_file())
        self.assertEqual((backing / "app/storage").stat().st_uid, 1001)
        self.assertEqual(self.finding()["code"], "storage-writable")
        type(self).services = self.operator.containers().keys()

    def test_2_a_mount_that_somebody_unmounts_comes_back(self):
        self.machine.run("umount", "-l", "/srv/dify")
        began = time.monotonic()
        self.await_that("it is mounted again", self.mounted, 60)
        measured("umount until it is mounted again", time.monotonic() - began)
        self.await_that("it is well", lambda: self.finding()["code"] == "storage-writable", 30)
        # The containers held the file system that was detached: it is not the one that is there now.
        self.await_that("the containers that held it were restarted", lambda: self.journal("is on another file system than what is mounted now"), 60)
        self.await_that("Dify is up on the new one", self.stack_is_on_the_new_mount, 120)
        self.assertEqual(self.operator.healthz(), "200")

    def stack_is_on_the_new_mount(self):
        running = self.operator.containers()
        device = self.machine.run("stat", "-c", "%d", "/srv/dify").strip()
        if running.keys() != self.services:
            return False
        for service, one in running.items():
            for mount in one["Mounts"]:
                if "/volumes/" not in mount["Source"] or not one["State"]["Running"]:
                    continue
                seen = self.machine.tries("stat", "-c", "%d", f"/proc/{one['State']['Pid']}/root{mount['Destination']}")[1]
                if seen.strip() != device:
                    return False
        return self.operator.status().get("phase") == "serving"

    def test_3_a_mount_that_hangs_here_is_mounted_again(self):
        hung = self.faultfs()
        for pid in hung:
            self.machine.run("kill", "-USR1", str(pid))
        began = time.monotonic()
        self.await_that("it is noticed", lambda: self.finding()["code"] == "storage-hung", 60)
        measured("hung until noticed", time.monotonic() - began)
        self.await_that("it is mounted again", lambda: set(self.faultfs()) - set(hung), 60)
        measured("hung until mounted again", time.monotonic() - began)
        self.assertEqual(self.operator.healthz(), "200")
        # What waits for FUSE can only be killed with it; NFS lets go of whom SIGKILL hits.
        for pid in hung:
            self.machine.run("kill", "-KILL", str(pid))
        self.await_that("it is well", lambda: self.finding()["code"] == "storage-writable", 120)
        self.await_that("Dify is up on the new one", self.stack_is_on_the_new_mount, 300)
        measured("hung until Dify is up on the new one", time.monotonic() - began)
        self.assertTrue(self.journal("does not answer"))

    def test_4_a_share_that_is_away_is_waited_for(self):
        """The second mount fails too, so nothing is detached, no new machine is asked for, and it ends by itself."""
        pids = self.faultfs()
        (self.machine.root / (BACKING[1:] + ".fault")).write_text("estale")
        self.await_that("it is noticed", lambda: self.finding()["code"] == "storage-stale", 60)
        self.assertEqual(self.finding("storage.second-mount")["code"], "second-mount-fails")
        for _ in range(30):
            self.assertEqual(self.operator.healthz(), "200")
            time.sleep(0.1)
        # Another one may come and go: the second mount.
        self.assertLessEqual(set(pids), set(self.faultfs()))
        (self.machine.root / (BACKING[1:] + ".fault")).write_text("")
        self.await_that("it is well", lambda: self.finding()["code"] == "storage-writable", 60)

    def test_5_a_machine_that_cannot_mount_what_others_can_says_so(self):
        (self.machine.root / "srv/dify.refuse").write_text("")
        self.machine.run("umount", "-l", "/srv/dify")
        self.await_that("a new machine would help", lambda: self.finding()["code"] == "mount-missing-here", 120)
        self.assertRegex(self.finding()["detail"], r"failed \d+ times")
        began = time.monotonic()
        self.machine.run("systemctl", "stop", "difyd")
        self.assertLess(time.monotonic() - began, 10)
        (self.machine.root / "srv/dify.refuse").unlink()
        self.machine.run("systemctl", "start", "difyd")
        self.operator.await_phase("serving")
        self.assertEqual(self.mounted(), [SOURCE, "fuse.faultfs"])

    def test_6_what_is_a_humans_is_not_touched(self):
        self.machine.run("difyd", "down", timeout=180)
        self.machine.run("systemctl", "stop", "difyd")
        self.machine.run("systemctl", "stop", UNIT)
        unit = self.machine.root / "etc/systemd/system" / UNIT
        unit.write_text("[Mount]\nWhat=tmpfs\nWhere=/srv/dify\nType=tmpfs\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "start", "difyd")
        self.await_that("it is refused", lambda: self.journal(f"/etc/systemd/system/{UNIT} mounts tmpfs there"), 30)
        self.assertEqual(self.mounted(), [])
        unit.write_text(f"[Mount]\nWhat={SOURCE}\nWhere=/srv/dify\nType=fuse.faultfs\nOptions=noatime\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", "difyd")
        self.await_that("the human's unit is started", self.mounted, 60)
        self.assertEqual(self.machine.run("systemctl", "show", "-P", "FragmentPath", UNIT).strip(),
                         "/etc/systemd/system/" + UNIT)
        unit.unlink()
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("difyd", "up", timeout=300)
        self.operator.await_phase("serving")

    def test_7_data_that_was_written_beneath_is_told(self):
        self.machine.run("difyd", "down", timeout=180)
        self.machine.run("systemctl", "stop", "difyd")
        self.machine.run("umount", "-l", "/srv/dify")
        self.machine.run("mkdir", "-p", "/srv/dify/app")
        self.machine.run("systemctl", "start", "difyd")
        self.await_that("it is told", lambda: self.finding("storage.beneath")["code"] == "data-beneath", 60)
        self.assertIn(": app", self.finding("storage.beneath")["detail"])

    def test_8_a_power_off_ends_the_containers_before_the_mount(self):
        self.machine.run("difyd", "up", timeout=300)
        self.operator.await_phase("serving")
        took = self.machine.power_off()
        measured("power-off", took)
        self.assertLess(took, 80)
        self.machine.boot(options=["--bind=/dev/fuse"])
        measured("the stack serves after the next boot", self.operator.await_phase("serving"))
        self.assertEqual(self.mounted(), [SOURCE, "fuse.faultfs"])
        last = self.machine.journal("-b", "-1")

        def when(*texts):
            return max(at for at, _, message in last if message.startswith(texts))
        self.assertLessEqual(when("Stopped difyd"), when("Unmounted srv-dify.mount", "Unmounted Storage of Dify"))
        self.assertLessEqual(when("Stopped docker.service"), when("Unmounted srv-dify.mount", "Unmounted Storage of Dify"))


if __name__ == "__main__":
    systemd_test.skip_unless_possible()
    unittest.main(failfast=True)
