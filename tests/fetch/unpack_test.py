"""Archives of every kind that is taken, and hostile ones: what difyd-helper gives of them, and that it writes nothing."""
import hashlib
import os
import subprocess
import tarfile
import unittest
import zipfile

from helper import RELEASE, archive, folder, helper, member

UNPACKED = {"docker-compose.yaml": (0o644, b"services: {api: {image: langgenius/dify-api:1.12.1}}\n"),
            ".env.example": (0o644, b"A=1\n"), "nginx/entrypoint.sh": (0o755, b"#!/bin/sh\n")}


def files_of(packed):
    """path -> (mode, bytes), as base/tree.hpp packs them."""
    files = {}
    while packed:
        head, packed = packed.split(b"\n", 1)
        mode, size, path = head.split(b" ", 2)
        files[path.decode()] = (int(mode, 8), packed[:int(size)])
        packed = packed[int(size):]
    return files


class Unpack(unittest.TestCase):
    def setUp(self):
        self.folder = folder(self)

    def unpack(self, path, sha256="-"):
        before = sorted(self.folder.rglob("*"))
        code, out = helper("unpack", path, sha256)
        self.assertEqual(sorted(self.folder.rglob("*")), before)
        return code, out

    def refused(self, path, *words, sha256="-"):
        code, out = self.unpack(path, sha256)
        self.assertEqual(code, 1, out)
        for each in (str(path), *words):
            self.assertIn(each, out.decode())

    def test_every_kind_of_archive(self):
        tar = archive(self.folder / "x.tar", RELEASE, "w")
        subprocess.run(["zstd", "-q", tar, "-o", self.folder / "x.tar.zst"], check=True)
        archive(self.folder / "x.tar.gz", RELEASE)
        archive(self.folder / "x.tar.xz", RELEASE, "w:xz")
        with zipfile.ZipFile(self.folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as made:
            for info, content in RELEASE:
                entry = zipfile.ZipInfo(info.name + ("" if info.isfile() else "/"))
                entry.external_attr = (info.mode | (0o100000 if info.isfile() else 0o040000)) << 16
                made.writestr(entry, content or b"")
        for ending in ("tar.gz", "tar.xz", "tar.zst", "zip"):
            with self.subTest(ending):
                code, out = self.unpack(self.folder / f"x.{ending}")
                self.assertEqual((code, files_of(out)), (0, UNPACKED), out)

    def test_as_git_and_github_make_it(self):
        """With a global pax header, which is no entry, and names beyond ASCII."""
        work = self.folder / "dify"
        for info, content in RELEASE:
            if content:
                path = work / info.name.split("/", 1)[1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                path.chmod(info.mode)
        (work / "api/é.md").write_text("x")
        (work / "api/out").symlink_to("../../elsewhere")
        git = ["git", "-C", work, "-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"],
                      ["archive", "--prefix=dify-1.12.1/", "-o", self.folder / "1.12.1.tar.gz", "HEAD"]):
            subprocess.run([*git, *words], check=True)
        code, out = self.unpack(self.folder / "1.12.1.tar.gz")
        self.assertEqual((code, files_of(out)), (0, UNPACKED), out)

    def test_the_hash_is_compared_first(self):
        path = archive(self.folder / "x.tar.gz", RELEASE)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        self.assertEqual(self.unpack(path, found)[0], 0)
        self.refused(path, "release-checksum", f"its SHA-256 is {found}, and {'0' * 64} is asked for", sha256="0" * 64)

    def test_hostile_archives(self):
        docker = "dify-1.12.1/docker/"
        link = {"type": tarfile.SYMTYPE}
        hostile = {
            "up": ([member(docker + "../../../../tmp/x", b"x")], "leads out of its folder"),
            "absolute": ([member("/tmp/x", b"x")], "an absolute path"),
            "link": ([member(docker + "x", None, linkname="/tmp", **link), member(docker + "x/y", b"x")], "which is not in its docker folder"),
            "link-up": ([member(docker + "x", None, linkname="../../..", **link)], "which is not in its docker folder"),
            "link-folder": ([member(docker + "x", None, linkname="nginx", **link), member(docker + "x/y", b"x")], "which is no file of its docker folder"),
            "hard-link": ([member(docker + "x", None, linkname="/etc/passwd", type=tarfile.LNKTYPE)], "which is not in its docker folder"),
            "device": ([member(docker + "x", None, type=tarfile.CHRTYPE, devmajor=1, devminor=5)], "neither a file nor a folder nor a link"),
            "fifo": ([member(docker + "x", None, type=tarfile.FIFOTYPE)], "neither a file nor a folder nor a link"),
            "setuid": ([member(docker + "x", b"x", mode=0o4755)], "with the rights of another user"),
            "two": ([member("other/docker/x", b"x")], "more than one folder"),
            "twice": ([member(docker + ".env.example", b"B=1\n")], "twice"),
            "bomb": ([member(docker + "x", bytes(17 << 20))], "its docker folder is larger than any release's"),
            "many": ([member(f"{docker}{i}", b"") for i in range(10_000)], "more than 10000 files"),
        }
        for name, (members, words) in hostile.items():
            with self.subTest(name):
                self.refused(archive(self.folder / f"{name}.tar.gz", RELEASE + members), "release-archive", words)

    def test_a_bomb_outside_of_docker_is_not_unpacked(self):
        path = self.folder / "bomb.tar.gz"
        head = member("dify-1.12.1/api/zeros", None, size=1 << 40)[0].tobuf(tarfile.GNU_FORMAT)
        archive(path, RELEASE, "w:gz")
        path.write_bytes(subprocess.run(["gzip"], input=head + bytes(1 << 20), capture_output=True, check=True).stdout)
        self.refused(path, "release-archive", "larger than any release")

    def test_what_is_no_whole_archive(self):
        path = archive(self.folder / "cut.tar.gz", RELEASE + [member("dify-1.12.1/z", os.urandom(100_000))])
        path.write_bytes(path.read_bytes()[:-5000])
        self.refused(path, "release-archive", "runcated")
        (self.folder / "page.tar.gz").write_text("<html>Sign in</html>")
        self.refused(self.folder / "page.tar.gz", "release-archive", "Unrecognized archive format")
        self.refused(self.folder / "nowhere.tar.gz", "file-missing", "No such file")
        self.refused(archive(self.folder / "other.tar.gz", [member("linux-6.1/Makefile", b"x")]), "release-archive", 'has no docker folder below \\"linux-6.1\\"')


if __name__ == "__main__":
    unittest.main()
