"""difyd-helper on a real folder: every verb, as root also as Dify's uid, and what must be refused."""
import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
ROOT = os.geteuid() == 0


class Helper(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="difyd-helper-")
        self.addCleanup(folder.cleanup)
        self.outside = os.path.join(folder.name, "outside")
        self.root = os.path.join(folder.name, "share")
        os.mkdir(self.outside)
        os.mkdir(self.root)
        self.lock = os.path.join(folder.name, "lock")

    def run_helper(self, *words, data=b"", options=()):
        return subprocess.run([PROGRAM, *options, *words], input=data, capture_output=True, timeout=20)

    def good(self, *words, data=b""):
        ended = self.run_helper(*words, data=data)
        self.assertEqual(ended.returncode, 0, ended)
        return ended.stdout

    def bad(self, *words, **options):
        ended = self.run_helper(*words, **options)
        self.assertEqual(ended.returncode, 1, ended)
        error = json.loads(ended.stdout)
        self.assertTrue(error["message"].startswith("cannot "), error)
        return error["code"]

    def test_probe_writes_as_the_uid_and_leaves_nothing(self):
        os.chmod(os.path.dirname(self.root), 0o700)  # what lies above the root is not Dify's to pass
        with open(os.path.join(self.root, "x"), "w"):
            pass
        os.mkdir(os.path.join(self.root, ".difyd"))
        with open(os.path.join(self.root, ".difyd", "share-id"), "w") as out:
            out.write("abc-1\n")
        answer = json.loads(self.good("probe", self.root, "1001"))
        self.assertEqual(answer["identity"], "abc-1")
        self.assertGreater(answer["bytes_total"], answer["bytes_free"])
        self.assertEqual(answer["written_as"], 1001 if ROOT else os.geteuid())
        self.assertEqual(os.listdir(os.path.join(self.root, ".difyd", "probe")), [])
        if ROOT:
            self.assertEqual(os.stat(os.path.join(self.root, ".difyd", "probe")).st_uid, 1001)

    def test_probe_of_what_is_not_there(self):
        self.assertEqual(self.bad("probe", self.root + "/no", "1001"), "share-missing")
        self.assertEqual(self.bad("probe", self.root, "x"), "bad-argument")

    def test_files(self):
        data = bytes(range(256)) * 500
        self.good("write-file", self.root, ".difyd/a/b.bin", "640", data=data)
        path = os.path.join(self.root, ".difyd/a/b.bin")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o640)
        self.assertEqual(self.good("read-file", self.root, ".difyd/a/b.bin", "200000"), data)
        self.good("write-file", self.root, ".difyd/a/b.bin", "600", data=b"new")
        self.assertEqual(self.good("read-file", self.root, ".difyd/a/b.bin", "10"), b"new")
        self.assertEqual(json.loads(self.good("list", self.root, ".difyd")), ["a/"])
        self.assertEqual(json.loads(self.good("list", self.root, ".difyd/a")), ["b.bin"])
        self.assertEqual(self.bad("read-file", self.root, ".difyd/a/b.bin", "2"), "file-too-large")
        self.good("remove-file", self.root, ".difyd/a/b.bin")
        self.good("remove-file", self.root, ".difyd/a/b.bin")
        self.good("remove-file", self.root, "no/such/b.bin")
        self.assertEqual(self.bad("read-file", self.root, ".difyd/a/b.bin", "9"), "file-missing")

    @unittest.skipUnless(ROOT, "giving files away needs root")
    def test_folders_of_others(self):
        self.good("mkdir-owned", self.root, "app/storage", "1001", "1002", "750")
        made = os.stat(os.path.join(self.root, "app/storage"))
        self.assertEqual((made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)), (1001, 1002, 0o750))
        self.assertEqual(os.stat(os.path.join(self.root, "app")).st_uid, 0)
        self.good("mkdir-owned", self.root, "app/storage", "0", "0", "700")
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.root, "app/storage")).st_mode), 0o700)

    def test_nothing_leads_out_of_the_root(self):
        with open(os.path.join(self.outside, "secret"), "w") as out:
            out.write("s")
        os.symlink(self.outside, os.path.join(self.root, "link"))
        os.symlink(os.path.join(self.outside, "secret"), os.path.join(self.root, "file"))
        for path in ("link/secret", "file", "../outside/secret", self.outside + "/secret"):
            self.assertEqual(self.bad("read-file", self.root, path, "9"), "bad-path", path)
        for path in ("link/new", "../outside/new"):
            self.bad("write-file", self.root, path, "600", data=b"x")
        self.bad("mkdir-owned", self.root, "link/folder", "0", "0", "700")
        self.bad("remove-file", self.root, "link/secret")
        self.assertEqual(os.listdir(self.outside), ["secret"])
        self.good("write-file", self.root, "file", "600", data=b"x")  # replaces the link itself
        with open(os.path.join(self.outside, "secret")) as secret:
            self.assertEqual(secret.read(), "s")

    def test_what_is_no_plain_file_does_not_hold_it(self):
        os.mkfifo(os.path.join(self.root, "fifo"))
        self.assertEqual(self.bad("read-file", self.root, "fifo", "9"), "bad-path")
        self.assertEqual(self.bad("read-file", self.root, "", "9"), "bad-path")

    def test_a_second_helper_does_not_pile_up(self):
        with open(self.lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.assertEqual(self.bad("list", self.root, "", options=["--lock", self.lock]), "share-hung")
        ended = self.run_helper("list", self.root, "", options=["--lock", self.lock])
        self.assertEqual((ended.returncode, ended.stdout), (0, b"[]"))

    def test_names(self):
        self.assertEqual(json.loads(self.good("resolve", "127.0.0.1")), ["127.0.0.1"])
        self.assertIn("127.0.0.1", json.loads(self.good("resolve", "localhost")) + ["127.0.0.1"])

    def test_unknown_verbs(self):
        self.assertEqual(self.bad(), "bad-argument")
        self.assertEqual(self.bad("format-disk", self.root), "bad-argument")
        self.assertEqual(self.bad("list", self.root), "bad-argument")


if __name__ == "__main__":
    unittest.main()
