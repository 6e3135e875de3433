"""A storage laid out by difyd-helper: once, by two machines at once, and by one that is killed at every point."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
ROOT = os.geteuid() == 0
ALL = bool(os.environ.get("DIFYD_TEST_ALL"))
SEEDS = {"sandbox/conf/config.yaml": "app: 1\n" * 5000, "myscale/config/users.d/custom.xml": "<x/>\n", "empty": ""}
FOLDERS = ["app/storage", "db/data", "redis/data"]


class Layout(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="difyd-layout-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.seeds = os.path.join(folder.name, "bundle")
        self.root = os.path.join(folder.name, "share")
        os.mkdir(self.root)
        for path, content in SEEDS.items():
            self.write(os.path.join(self.seeds, path), content)
        os.chmod(os.path.join(self.seeds, "empty"), 0o600)

    @staticmethod
    def write(path, content):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(content)

    def read(self, path):
        with open(os.path.join(self.root, path)) as file:
            return file.read()

    def command(self, machine):
        """Each machine has a lock of its own for its helpers."""
        return [PROGRAM, "--lock", os.path.join(self.folder, "lock-" + machine), "lay-out", self.root]

    def order(self, machine, abandoned=""):
        return json.dumps({"machine": machine, "abandoned": abandoned, "seeds": self.seeds, "folders": FOLDERS,
                           "owned": ["app/storage"], "uid": 1001})

    def lay_out(self, machine="a", abandoned=""):
        ended = subprocess.run(self.command(machine), input=self.order(machine, abandoned), text=True,
                               capture_output=True, timeout=60, check=False)
        self.assertEqual(ended.returncode, 0, ended)
        return json.loads(ended.stdout)

    def check_whole(self):
        for path, content in SEEDS.items():
            self.assertEqual(self.read(path), content, path)
        for path in FOLDERS:
            self.assertTrue(os.path.isdir(os.path.join(self.root, path)), path)
        if ROOT:
            self.assertEqual(os.stat(os.path.join(self.root, "app/storage")).st_uid, 1001)
        self.assertEqual(sorted(os.listdir(os.path.join(self.root, ".difyd"))), ["seeded"])

    def test_an_empty_storage_is_laid_out_once(self):
        made = self.lay_out()["made"]
        self.assertLessEqual(set(SEEDS), set(made))
        self.check_whole()
        self.assertEqual(os.stat(os.path.join(self.root, "empty")).st_mode & 0o777, 0o600)
        before = os.stat(os.path.join(self.root, ".difyd/seeded")).st_mtime_ns
        self.assertEqual(self.lay_out("b"), {"made": []})
        self.assertEqual(os.stat(os.path.join(self.root, ".difyd/seeded")).st_mtime_ns, before)

    def test_what_is_there_stays(self):
        self.write(os.path.join(self.root, "sandbox/conf/config.yaml"), "mine\n")
        self.assertNotIn("sandbox/conf/config.yaml", self.lay_out()["made"])
        self.assertEqual(self.read("sandbox/conf/config.yaml"), "mine\n")
        self.assertEqual(self.read("myscale/config/users.d/custom.xml"), SEEDS["myscale/config/users.d/custom.xml"])

    def test_a_later_release_brings_more(self):
        self.lay_out()
        self.write(os.path.join(self.seeds, "new/file"), "new\n")
        self.assertEqual(self.lay_out()["made"], ["new/file"])
        self.assertEqual(self.read("new/file"), "new\n")

    @unittest.skipUnless(ROOT, "needs root")
    def test_dify_gets_its_folder_back(self):
        self.lay_out()
        os.chown(os.path.join(self.root, "app/storage"), 0, 0)
        self.lay_out()
        self.check_whole()

    def test_a_link_that_leads_out_is_not_followed(self):
        outside = os.path.join(self.folder, "outside")
        os.mkdir(outside)
        os.symlink(outside, os.path.join(self.root, "sandbox"))
        ended = subprocess.run(self.command("a"), input=self.order("a"), text=True, capture_output=True, timeout=60,
                               check=False)
        self.assertEqual(json.loads(ended.stdout)["code"], "bad-path")
        self.assertEqual(os.listdir(outside), [])

    def test_many_machines_at_once(self):
        for _ in range(5):
            shutil.rmtree(self.root)
            os.mkdir(self.root)
            machines = [f"m{number}" for number in range(6)]
            running = [(name, subprocess.Popen(self.command(name), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
                       for name in machines]
            said = [json.loads(process.communicate(self.order(name), timeout=60)[0]) for name, process in running]
            self.assertTrue(any("made" in each for each in said), said)
            for each in said:
                self.assertTrue("made" in each or each.get("busy"), said)
            # Nobody is left behind who did not wait for another.
            for name in machines:
                self.assertIn("made", self.lay_out(name))
            self.check_whole()

    def test_a_lock_of_a_machine_that_is_gone(self):
        self.write(os.path.join(self.root, ".difyd/seed.lock/owner"), json.dumps({"machine": "gone", "token": "x"}))
        owner = self.lay_out("b")["busy"]
        self.assertIn("gone", owner)
        self.assertEqual(os.listdir(self.root), [".difyd"])
        # It moved in between: the one that was seen not to move is another.
        self.assertEqual(self.lay_out("b", abandoned=owner.replace("x", "y"))["busy"], owner)
        self.lay_out("b", abandoned=owner)
        self.check_whole()

    def test_a_lock_of_nobody(self):
        self.write(os.path.join(self.root, ".difyd/seed.lock/other"), "x")
        self.assertEqual(self.lay_out("b")["busy"], "unknown")
        self.lay_out("b", abandoned="unknown")
        self.check_whole()
        os.mkdir(os.path.join(self.root, ".difyd/seed.lock"))
        os.remove(os.path.join(self.root, "empty"))
        self.assertEqual(self.lay_out("b")["made"], ["empty"])

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_killed_at_every_point(self):
        """By the calls that change something; what is visible is whole, and whoever comes next completes it."""
        killed = 0
        for call in ("mkdirat", "/^rename", "linkat", "fsync", "unlinkat", *(("openat2", "openat") if ALL else ())):
            for when in range(1, 1000, 1 if ALL else 3):
                shutil.rmtree(self.root)
                os.mkdir(self.root)
                strace = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                          f"inject={call}:signal=KILL:when={when}"]
                ended = subprocess.run(strace + self.command("a"), input=self.order("a"), text=True, capture_output=True,
                                       timeout=60, check=False)
                if ended.returncode == 0:
                    break
                killed += 1
                for path, content in SEEDS.items():
                    if os.path.exists(os.path.join(self.root, path)):
                        self.assertEqual(self.read(path), content, (call, when, path))
                with self.subTest(call=call, when=when):
                    self.complete(next_machine="a" if when % 2 else "b")
            self.assertEqual(ended.returncode, 0, (call, ended))
        self.assertGreater(killed, 12)

    def complete(self, next_machine):
        said = self.lay_out(next_machine)
        if "busy" in said:
            self.assertEqual(next_machine, "b")  # a machine takes its own lock over at once
            said = self.lay_out(next_machine, abandoned=said["busy"])
        self.assertIn("made", said)
        for path, content in SEEDS.items():
            self.assertEqual(self.read(path), content, path)
        left = [name for name in os.listdir(os.path.join(self.root, ".difyd")) if not name.startswith("seed-lock-")]
        # A lock that never got its name is nobody's; one whose work was done is taken over by the next who needs it.
        self.assertEqual([name for name in left if name not in ("seeded", "seed.lock")], [])
        os.remove(os.path.join(self.root, "empty"))
        said = self.lay_out(next_machine)
        said = self.lay_out(next_machine, abandoned=said["busy"]) if "busy" in said else said
        self.assertEqual(said, {"made": ["empty"]})


@unittest.skipUnless(ROOT, "needs root")
class Owners(unittest.TestCase):
    def test_everything_below_is_given(self):
        with tempfile.TemporaryDirectory(prefix="difyd-own-") as root:
            os.makedirs(root + "/app/storage/a/b")
            for path in ("x", "a/y", "a/b/z"):
                with open(f"{root}/app/storage/{path}", "w"):
                    pass
            with open(root + "/outside", "w"):
                pass
            os.symlink("/etc/passwd", root + "/app/storage/link")
            os.chown(root + "/app/storage/a/y", 1001, 1001)

            def own(path="app/storage"):
                return subprocess.run([PROGRAM, "own", root, path, "1001", "1001"], text=True, capture_output=True,
                                      timeout=20, check=False).stdout
            self.assertEqual(json.loads(own()), {"changed": 6})
            for folder, folders, names in os.walk(root + "/app/storage"):
                for name in [*folders, *names]:
                    self.assertEqual(os.lstat(os.path.join(folder, name)).st_uid, 1001, name)
            self.assertEqual(os.stat("/etc/passwd").st_uid, 0)
            self.assertEqual(os.stat(root + "/outside").st_uid, 0)
            self.assertEqual(json.loads(own()), {"changed": 0})
            self.assertEqual(json.loads(own("no"))["code"], "file-missing")
            os.symlink(root, root + "/app/out")
            self.assertIn("code", json.loads(own("app/out")))
            self.assertEqual(os.stat(root + "/outside").st_uid, 0)


if __name__ == "__main__":
    unittest.main()
