"""Pulls from a registry that behaves badly: what is tried again, what is not, and what each pull policy asks for."""
import hashlib
import http.server
import io
import json
import tarfile
import threading
import unittest
import urllib.parse

import bench
from bench import Project, api


class Registry(http.server.ThreadingHTTPServer):
    """One image; `answers` are the statuses of the next questions for its manifest, 200 when there are none left."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.image = f"127.0.0.1:{self.server_port}/difyd-test/pulled:1"
        self.answers, self.asked, self.seen = [], 0, threading.Lock()
        files = io.BytesIO()
        with tarfile.open(fileobj=files, mode="w") as tar:
            tar.add("/bin/busybox", "bin/busybox", recursive=False)
        layer = files.getvalue()
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/busybox", "sleep", "60"]},
                             "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}).encode()
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": kind,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digest(config)},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": len(layer), "digest": digest(layer)}],
        }).encode()
        self.blobs = {digest(config): config, digest(layer): layer}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()
        api("DELETE", f"/images/{urllib.parse.quote(self.image, safe='')}?force=1")


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), "Docker-Distribution-Api-Version": "registry/2.0", **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        registry = self.server
        if "/manifests/" in self.path:
            with registry.seen:
                registry.asked += 1
                status = registry.answers.pop(0) if registry.answers else 200
            if status != 200:
                code = {429: "TOOMANYREQUESTS", 404: "MANIFEST_UNKNOWN"}.get(status, "UNKNOWN")
                text = json.dumps({"errors": [{"code": code, "message": "as the test wants it"}]}).encode()
                return self.answer(status, text, Content_Type="application/json")
            return self.answer(200, registry.manifest, Content_Type="application/vnd.docker.distribution.manifest.v2+json",
                               Docker_Content_Digest=digest(registry.manifest))
        if "/blobs/" in self.path:
            return self.answer(200, registry.blobs[self.path.rsplit("/", 1)[1]], Content_Type="application/octet-stream")
        return self.answer(200)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Pulls(unittest.TestCase):
    def setUp(self):
        self.registry = Registry()
        self.addCleanup(self.registry.close)

    def up(self, *words, policy=None, ok=True):
        line = f"  a: {{image: '{self.registry.image}'" + (f", pull_policy: {policy}" if policy else "") + "}"
        project = Project("services:\n" + line + "\n")
        self.addCleanup(project.remove)
        return project.run("up", "-d", *words, ok=ok)

    def on_engine(self):
        return api("GET", f"/images/{urllib.parse.quote(self.registry.image, safe='')}/json")

    def test_a_registry_that_falters_is_asked_again(self):
        self.registry.answers = [503, 502]
        done = self.up()
        self.assertIn("trying again", done.stderr)
        status, image = self.on_engine()
        self.assertEqual(status, 200)
        self.assertEqual([d.split("@")[1] for d in image["RepoDigests"]], [digest(self.registry.manifest)])

    def test_a_rate_limit_is_explained_and_not_tried_again(self):
        self.registry.answers = [429] * 50
        done = self.up(ok=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("toomanyrequests", done.stderr)
        self.assertIn("rate limit is reached: log in (docker login) or try later", done.stderr)
        self.assertNotIn("trying again", done.stderr)

    def test_a_wrong_name_is_not_tried_again(self):
        self.registry.answers = [404] * 50
        done = self.up(ok=False)
        self.assertIn("Check the image's name and tag", done.stderr)
        self.assertNotIn("trying again", done.stderr)

    def test_nothing_is_made_before_all_images_are_there(self):
        self.registry.answers = [404] * 50
        bench.make_image()
        project = Project(f"services:\n  a: {{image: IMAGE, command: ['true'], volumes: ['data:/data']}}\n"
                          f"  b: {{image: '{self.registry.image}'}}\nvolumes: {{data: }}\n")
        self.addCleanup(project.remove)
        self.assertEqual(project.run("up", "-d", ok=False).returncode, 1)
        self.assertEqual(project.containers(), {})
        self.assertEqual(api("GET", f"/networks/{project.name}_default")[0], 404)
        self.assertEqual(api("GET", f"/volumes/{project.name}_data")[0], 404)
        self.registry.answers = []
        project.run("up", "-d")
        self.assertEqual(set(project.containers()), {"a-1", "b-1"})

    def test_policies(self):
        self.assertEqual(self.up(policy="never", ok=False).returncode, 1)
        self.assertEqual(self.registry.asked, 0)
        self.up()
        first = self.registry.asked
        self.assertGreater(first, 0)
        for policy in ("missing", "if_not_present", "never"):
            self.up(policy=policy)
        self.assertEqual(self.registry.asked, first, "the image is there: nothing is asked")
        self.up(policy="always")
        self.assertGreater(self.registry.asked, first)
        before = self.registry.asked
        self.up("--pull", "always")
        self.assertGreater(self.registry.asked, before)
        before = self.registry.asked
        self.up("--pull", "never", policy="always")
        self.assertEqual(self.registry.asked, before)

    def test_a_period_runs_from_the_last_tag(self):
        """As with docker compose 2.40: the engine's classic image store keeps no time of a pull."""
        self.up()
        before = self.registry.asked
        self.up(policy="every_365d")
        self.assertGreater(self.registry.asked, before, "it was never tagged here")
        name, tag = self.registry.image.rsplit(":", 1)
        api("POST", f"/images/{urllib.parse.quote(self.registry.image, safe='')}/tag?" + urllib.parse.urlencode({"repo": name, "tag": tag}))
        before = self.registry.asked
        for policy in ("daily", "weekly", "every_1w2d"):
            self.up(policy=policy)
        self.assertEqual(self.registry.asked, before, "it is not old enough")
        self.up(policy="every_0s")
        self.assertGreater(self.registry.asked, before)


if __name__ == "__main__":
    bench.need_engine()
    unittest.main()
