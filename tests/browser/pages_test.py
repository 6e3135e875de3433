"""The status and the maintenance page in headless Chromium, served by the real difyd-health. The screenshots are
for people; what is asserted is the text that the browser shows, that nothing runs, and that nothing sticks out."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from ports import free_port  # noqa: E402

BIN = pathlib.Path(os.environ["DIFYD_BIN"])
SHOTS = pathlib.Path(os.environ["DIFYD_SCREENSHOTS"])
BROWSER = shutil.which("chromium")
WIDTHS = {"desktop": (1280, 1400), "phone": (500, 1900)}  # Chromium has no narrower window


def skip_unless_possible():
    reason = (not os.environ.get("DIFYD_TEST_ALL") and "takes a while; DIFYD_TEST_ALL=1 runs it"
              or not BROWSER and "no chromium (packaging/install-packages --test with DIFYD_TEST_ALL=1)")
    if reason:
        print("skipped: " + reason)
        sys.exit(77)


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SHOTS.mkdir(parents=True, exist_ok=True)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="difyd-browser-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        (cls.folder / "samples").mkdir()
        subprocess.run([os.environ["DIFYD_SAMPLES"], cls.folder / "samples"], check=True)
        cls.port, cls.visitors = free_port(), free_port()
        cls.publish()
        cls.health = subprocess.Popen([BIN / "difyd-health", "--listen", f"127.0.0.1:{cls.port}", "--verdict",
                                       cls.folder / "verdict.json"], stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end)
        cls.health.stderr.readline()

    @classmethod
    def end(cls):
        cls.health.terminate()
        cls.health.wait(10)
        cls.health.stderr.close()

    @classmethod
    def boot(cls):
        return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)

    @classmethod
    def publish(cls, age_ms=0, **page):
        verdict = {"healthz": "ok", "readyz": "maintenance" if page else "ok", "row": 7, "reason": "serving",
                   "phase": "upgrading" if page else "serving", "published_boot_ms": cls.boot() - age_ms}
        if page:
            verdict["maintenance"] = {"address": "127.0.0.1", "port": cls.visitors, "retry_after": 60,
                                      "since_ms": int(time.time() * 1000) - 205000, "since_boot_ms": cls.boot() - 205000} | page
        cls.replace("verdict.json", json.dumps(verdict))

    @classmethod
    def replace(cls, name, text):
        (cls.folder / (name + ".new")).write_text(text)
        (cls.folder / (name + ".new")).rename(cls.folder / name)

    def sample(self, name):
        for kind in ("html", "json"):
            self.replace("status." + kind, (self.folder / "samples" / f"{name}.{kind}").read_text())

    def chromium(self, *words, language="en-US", width="desktop"):
        profile = tempfile.mkdtemp(prefix="profile-", dir=self.folder)
        size = "{},{}".format(*WIDTHS[width])
        done = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                               "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                               "--disable-component-update", f"--user-data-dir={profile}", f"--lang={language}",
                               f"--accept-lang={language}", f"--window-size={size}", *words],
                              text=True, capture_output=True, timeout=90, check=False,
                              env=os.environ | {"LANGUAGE": language.split("-")[0]})
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return done.stdout

    def look(self, url, shot, **how):
        """A screenshot, and the document as the browser has it."""
        path = SHOTS / f"{shot}.png"
        path.unlink(missing_ok=True)
        self.chromium(f"--screenshot={path}", url, **how)
        self.assertGreater(path.stat().st_size, 10000)
        return self.chromium("--dump-dom", url, **how)

    def wait(self, what, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def served(self, port, path="/"):
        done = subprocess.run(["curl", "-s", "-H", "Accept: text/html", f"http://127.0.0.1:{port}{path}"], text=True,
                              capture_output=True, check=False)
        return done.stdout

    def test_status(self):
        url = f"http://127.0.0.1:{self.port}/status"
        for sample, words in {"well": ("Dify 1.11.4", "Nothing is wrong", "worker"),
                              "held": ("What you can do", "difyd rollback --restore", "disk.docker", "A new machine would cure it",
                                       "1 h 6 min", "installed 1.11.4"),
                              "upgrading": ("waiting for api", "under way", "begun")}.items():
            self.publish()
            self.sample(sample)
            self.wait(sample, lambda: words[0] in self.served(self.port, "/status"))
            for width in WIDTHS:
                self.publish()
                shown = self.look(url, f"status-{sample}-{width}", width=width)
                for word in words:
                    self.assertIn(word, shown, sample)
                self.assertNotIn("<script", shown)
                self.assertIn("&lt;script&gt;" if sample == "held" else "</html>", shown)
        self.publish(age_ms=300000)
        self.wait("a stale verdict", lambda: "has not said anything for 5 min" in self.served(self.port, "/status"))
        self.look(url, "status-stale-desktop")

    def test_maintenance(self):
        url = f"http://127.0.0.1:{self.visitors}/"
        for step, english, japanese in (("backup", "Taking a backup", "バックアップの作成"),
                                        ("migrate", "Migrating the database", "データベースの移行")):
            self.publish(why="upgrading", step=step, step_boot_ms=self.boot() - 42000)
            self.wait(step, lambda: f'"now"><i></i><span>{english}' in self.served(self.visitors))
            for language, words in (("en-US", english), ("ja-JP", japanese)):
                shown = self.look(url, f"maintenance-{step}-{language[:2]}", language=language)
                now = re.search(r'<li class="now"><i></i><span>([^<]*)', shown)
                self.assertEqual(now.group(1), words)
                self.assertRegex(shown, "<b>4[2-9] (s|秒)</b>|<b>5[0-9] (s|秒)</b>|<b>1 (min|分)")
        self.look(url, "maintenance-migrate-en-phone", width="phone")
        self.publish(why="closed", reason="The disks are being exchanged. Back at 17:00.\nThank you for waiting.")
        self.wait("closed", lambda: "Back at 17:00" in self.served(self.visitors))
        self.look(url, "maintenance-closed-en")
        self.look(url, "maintenance-closed-ja", language="ja-JP", width="phone")

    def test_an_open_page_follows_the_step_by_itself(self):
        """The browser is left alone: the page asks again, and shows the next step."""
        self.publish(why="upgrading", step="stop", step_boot_ms=self.boot(), retry_after=1)
        self.wait("step stop", lambda: '"now"><i></i><span>Stopping the old version' in self.served(self.visitors))
        profile = tempfile.mkdtemp(prefix="profile-", dir=self.folder)
        browser = subprocess.Popen([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                                    "--no-first-run", f"--user-data-dir={profile}", "--remote-debugging-port=0",
                                    "--remote-allow-origins=*", f"http://127.0.0.1:{self.visitors}/"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port_file = pathlib.Path(profile) / "DevToolsActivePort"
            self.wait("the browser is up", lambda: port_file.exists() and port_file.read_text().strip())
            self.wait("the page is there", lambda: self.titles(port_file) == ["Dify is being upgraded"])
            self.publish(why="going-back", retry_after=1)
            self.wait("the page changed by itself", lambda: self.titles(port_file) == ["Dify is being started again"])
        finally:
            browser.terminate()
            browser.wait(20)

    @staticmethod
    def titles(port_file):
        """Of the pages that are open, as the browser's debugger tells them."""
        port = port_file.read_text().split()[0]
        done = subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/json"], text=True, capture_output=True, check=False)
        return [each["title"] for each in json.loads(done.stdout or "[]") if each["type"] == "page"]


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main()
