"""Releases that are not here: unpacked from an archive, fetched by URL, refused without a change where that fails."""
import http.server
import pathlib
import signal
import tarfile
import threading
import time
import unittest

import machine
from machine import Machine, slow, wait_until

machine.need_engine()


class Mirror(http.server.BaseHTTPRequestHandler):
    """/dify/<version>.tar.gz: `server.answers[version]` is a status, an archive, or an event that is awaited in its middle."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        answer = self.server.answers.get(self.path.removeprefix("/dify/").removesuffix(".tar.gz"), 404)
        self.server.asked.append(self.path)
        self.send_response(answer if isinstance(answer, int) else 200)
        body = b"" if isinstance(answer, int) else answer if isinstance(answer, bytes) else b"part"
        self.send_header("Content-Length", str(len(body) if body != b"part" else 1000))
        self.end_headers()
        self.wfile.write(body)
        if body == b"part":
            answer.wait(60)


class Fetch(unittest.TestCase):
    def setUp(self):
        self.mirror = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
        self.mirror.daemon_threads, self.mirror.block_on_close = True, False
        self.mirror.answers, self.mirror.asked = {}, []
        threading.Thread(target=self.mirror.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.mirror.server_close)
        self.addCleanup(self.mirror.shutdown)
        self.m = Machine("1.11.4")
        self.addCleanup(self.m.close)
        self.bundles = self.m.folder / "bundles"
        self.bundles.mkdir()
        self.overlay = self.m.folder / "overlay"
        (self.overlay / "nginx/ssl").mkdir(parents=True)
        (self.overlay / "nginx/ssl/dify.crt").write_text("a certificate\n")
        self.template = "nginx/nginx.conf.template"
        (self.overlay / self.template).write_text(self.published("1.11.4").read_text() + "# mine\n")
        url = f"http://user:pa55@127.0.0.1:{self.mirror.server_port}/dify/{{version}}.tar.gz"
        self.m.config.write_text(self.m.config.read_text().replace(
            f"releases: {{source: {machine.BUNDLES}", f"releases: {{source: {self.bundles}, url: \"{url}\", overlay: {self.overlay}"))

    def published(self, version):
        return pathlib.Path(machine.BUNDLES) / f"dify-{version}/docker" / self.template

    def archive(self, version, text=None):
        """As GitHub makes it: the whole repository below one folder. `text`: of the template that the overlay has, too."""
        path, changed = self.m.folder / f"made-{version}.tar.gz", self.m.folder / "changed"
        changed.write_text(text or self.published(version).read_text())
        with tarfile.open(path, "w:gz") as tar:
            tar.add(machine.BUNDLES + f"/dify-{version}", arcname=f"dify-{version}",
                    filter=lambda each: None if each.name.endswith(self.template) else each)
            tar.add(changed, arcname=f"dify-{version}/docker/{self.template}")
            tar.add(machine.SOURCE / "README.md", arcname=f"dify-{version}/README.md")
        return path.read_bytes()

    def refused(self, code, *words, of=("upgrade", "1.12.1")):
        before = self.m.containers(), sorted(each.name for each in self.bundles.iterdir() if each.name[0] != ".")
        found, out, err = self.m.difyd(*of)
        self.assertEqual(found, code, out + err)
        for each in words:
            self.assertIn(each, err)
        self.assertNotIn("pa55", out + err + self.m.tail(500))
        self.assertEqual((self.m.containers(), sorted(each.name for each in self.bundles.iterdir() if each.name[0] != ".")), before)
        self.assertEqual(self.m.status()["deployed"], "1.11.4")

    def test_a_release_that_is_not_here_is_fetched_or_refused(self):
        # A first start without it says so, and asks once, however often it is tried again.
        self.m.serve()
        wait_until("tries", lambda: self.m.tail(500).count("subject=admit state=failed") > 2, 50)
        self.assertIn("the server answered 404", self.m.status()["message"])
        self.assertEqual(self.mirror.asked, ["/dify/1.11.4.tar.gz"])
        (self.bundles / "1.11.4.tar.gz").write_bytes(self.archive("1.11.4"))
        self.m.await_phase("serving")
        self.assertEqual(sorted(each.name for each in self.bundles.iterdir()), ["1.11.4.tar.gz", "dify-1.11.4"])
        self.assertEqual(self.mirror.asked, ["/dify/1.11.4.tar.gz"])

        # What is refused changes nothing, and says what to do.
        public = f"http://127.0.0.1:{self.mirror.server_port}/dify"
        self.refused(2, f"cannot fetch {public}/9.9.9.tar.gz: the server answered 404", "releases.url", f"put dify-9.9.9.tar.gz into {self.bundles}", of=("plan", "9.9.9"))
        self.refused(2, f"{public}/1.12.1.tar.gz: the server answered 404")
        self.mirror.answers["1.12.1"] = 503
        self.refused(4, "the server answered 503", "Try again later")
        self.mirror.answers["1.12.1"] = self.archive("1.11.4")
        self.refused(4, "dify-1.12.1.tar.gz:docker/docker-compose.yaml names the api image of version 1.11.4", "releases.url")

        # An abort ends a download that hangs.
        self.mirror.answers["1.12.1"] = threading.Event()
        self.addCleanup(self.mirror.answers["1.12.1"].set)
        asked = len(self.mirror.asked)
        self.assertEqual(self.m.difyd("upgrade", "--no-wait", "1.12.1")[0], 0)
        wait_until("the download", lambda: len(self.mirror.asked) > asked, 30)
        began = time.monotonic()
        self.assertEqual(self.m.difyd("abort")[0], 0)
        wait_until("the end of it", lambda: self.m.status()["operation"]["result"] == "refused", 50)
        self.assertLess(time.monotonic() - began, 50)  # the mirror says nothing for a minute

        # What is laid over it is compared with what is published now.
        self.mirror.answers["1.12.1"] = self.archive("1.12.1", self.published("1.12.1").read_text() + "# new\n")
        plan = self.m.json("plan", "1.12.1")
        self.assertEqual(plan["overlay"], [{"path": self.template, "change": "changed"}])
        text = self.m.difyd("plan", "1.12.1")[1]
        self.assertIn(f"overlay files whose published original changed\n  {self.template} (changed)\n", text)
        self.overlay.rename(self.m.folder / "away")
        self.refused(4, f"cannot lay {self.overlay} over a release: there is no such folder")
        (self.m.folder / "away").rename(self.overlay)
        (self.overlay / "docker-compose.yaml").write_text("services: {}\n")
        self.refused(4, "cannot lay docker-compose.yaml over a release")
        (self.overlay / "docker-compose.yaml").unlink()
        for version in ("1.11.4", "1.12.1", "1.13.0"):
            (self.bundles / f".dify-{version}.tar.gz.part").touch()
        asked = len(self.mirror.asked)
        code, out, err = self.m.difyd("upgrade", "1.12.1", "--plan", plan["hash"])
        self.assertEqual(code, 0, out + err + self.m.tail())
        self.assertEqual(len(self.mirror.asked), asked)
        self.assertEqual(self.m.status()["deployed"], "1.12.1")
        copy = self.m.folder / "var/releases/dify-1.12.1/docker"
        self.assertTrue((copy / self.template).read_text().endswith("# mine\n"))
        self.assertEqual((copy / "nginx/ssl/dify.crt").read_text(), "a certificate\n")
        self.assertIn("# mine", self.m.docker("exec", f"{self.m.project}-nginx-1", "cat", "/etc/nginx/nginx.conf.template"))
        # What an operator put there stays; what was fetched, or half of it, goes.
        self.assertEqual(sorted(each.name for each in self.bundles.iterdir()),
                         [".dify-1.13.0.tar.gz.part", "1.11.4.tar.gz", "dify-1.11.4", "dify-1.12.1"])

    @slow
    def test_at_a_boot_what_is_deployed_serves_while_its_successor_is_fetched(self):
        (self.bundles / "1.11.4.tar.gz").write_bytes(self.archive("1.11.4"))
        self.m.serve().await_phase("serving")
        self.m.stop_daemon(signal.SIGKILL)
        self.m.remove_containers()
        (self.overlay / self.template).write_text("# for the next\n")
        slow = self.mirror.answers["1.12.1"] = threading.Event()
        self.addCleanup(slow.set)
        self.m.config.write_text(self.m.config.read_text().replace("version: 1.11.4", "version: 1.12.1"))
        self.m.serve()
        wait_until("the download", lambda: self.mirror.asked, 60)
        status = self.m.status()
        self.assertEqual((status["phase"], status["deployed"], status["operation"]["kind"]), ("serving", "1.11.4", "upgrade"))
        self.assertEqual(machine.get(self.m.http, "/console/api/ping")[0], 200)
        # What cannot be fetched is refused without a word to those who use Dify; the next boot tries again.
        self.assertEqual(self.m.difyd("abort")[0], 0)
        wait_until("the end of it", lambda: "version-refused" in self.m.findings(), 20)
        self.assertEqual(self.m.status()["phase"], "serving")
        self.assertEqual(self.m.tail(500).count("state=serving"), 2, self.m.tail(500))
        # What lies over it is what did, until an operator asks for what he has edited since.
        laid_over = self.m.folder / "var/releases/dify-1.11.4/docker" / self.template
        self.assertTrue(laid_over.read_text().endswith("# mine\n"))
        self.assertIn(self.template, self.m.findings()["overlay-edited"]["detail"])
        (self.overlay / self.template).write_text(self.published("1.11.4").read_text() + "# edited\n")
        self.assertEqual(self.m.difyd("up")[0], 0)
        self.assertTrue(laid_over.read_text().endswith("# edited\n"))
        self.assertNotIn("overlay-edited", self.m.findings())
        (self.overlay / self.template).unlink()
        self.mirror.answers["1.12.1"] = self.archive("1.12.1")
        self.m.stop_daemon()
        self.m.serve()
        wait_until("1.12.1", lambda: self.m.status()["deployed"] == "1.12.1" and self.m.status()["phase"] == "serving", 180)
        copy = self.m.folder / "var/releases/dify-1.12.1/docker" / self.template
        self.assertFalse(copy.read_text().endswith("# edited\n"))


if __name__ == "__main__":
    unittest.main()
