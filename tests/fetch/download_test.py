"""Downloads by difyd-helper from real servers: redirects, a cut connection, proxies, hashes, and what a server may do wrong."""
import hashlib
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
import unittest
import urllib.parse
import urllib.request

from helper import HELPER, RELEASE, archive, folder, helper, member

NAME = "dify-1.12.1.tar.gz"


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, test, handler, **fields):
        super().__init__(("127.0.0.1", 0), handler)
        self.seen = []  # path and headers of every request
        for name, value in fields.items():
            setattr(self, name, value)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        test.addCleanup(self.server_close)
        test.addCleanup(self.shutdown)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)


class Origin(Quiet):
    """`server.body` with `server.etag`; the first answers are cut off after `server.cuts` bytes each."""

    def do_GET(self):
        server = self.server
        path = urllib.parse.urlsplit(self.path).path
        server.seen.append((path, dict(self.headers)))
        name = "do_" + path.strip("/").split("/")[0]
        if hasattr(self, name):
            return getattr(self, name)()
        if server.down:
            return self.answer(503)
        body, first = server.body, 0
        headers = {"ETag": server.etag} if server.etag else {}
        asked = self.headers.get("Range", "")
        if asked and server.ranges and self.headers.get("If-Range") == server.etag:
            first = int(asked[len("bytes="):-1]) + server.shift
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        self.send_response(206 if "Content-Range" in headers else 200)
        rest = body[first:]
        for key, value in {"Content-Length": len(rest), **headers}.items():
            self.send_header(key, str(value))
        self.end_headers()
        if server.cuts:
            self.wfile.write(rest[:server.cuts.pop(0)])
            self.close_connection = True
        else:
            self.wfile.write(rest)

    def do_redirect(self):
        left = int(urllib.parse.urlsplit(self.path).path.rsplit("/", 1)[1])
        self.answer(302, Location=f"/redirect/{left - 1}" if left > 1 else "/x.tar.gz")

    def do_to(self):
        self.answer(301, Location=urllib.parse.unquote(urllib.parse.urlsplit(self.path).query))

    def do_status(self):
        self.answer(int(urllib.parse.urlsplit(self.path).path.rsplit("/", 1)[1]), b"not what you look for")

    def do_stall(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.send_header("ETag", self.server.etag)
        self.end_headers()
        self.wfile.write(self.server.body[:1000])
        self.server.release.wait(30)

    def do_page(self):
        self.answer(200, b"<html>Sign in</html>")

    def do_sums(self):
        self.answer(200, self.server.sums)


class Proxy(Quiet):
    """GET of whole URLs, and CONNECT."""

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.server.status != 200:
            return self.answer(self.server.status)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.path, timeout=10) as got:
            self.answer(200, got.read())

    def do_CONNECT(self):
        self.server.seen.append((self.path, dict(self.headers)))
        host, port = self.path.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as there:
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            back = threading.Thread(target=self.pump, args=(there, self.connection), daemon=True)
            back.start()
            self.pump(self.connection, there)
            back.join(10)

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Download(unittest.TestCase):
    def setUp(self):
        self.work = folder(self)
        self.into = self.work / "bundles"
        self.body = self.release("one")
        self.origin = self.serve()

    def release(self, word):
        noise = hashlib.shake_256(word.encode()).digest(200_000)  # so that a part is a part
        return archive(self.work / "x.tar.gz", RELEASE + [member("dify-1.12.1/noise", noise)]).read_bytes()

    def serve(self, handler=Origin, **fields):
        defaults = {"body": self.body, "etag": '"one"', "cuts": [], "ranges": True, "shift": 0, "sums": b"",
                    "status": 200, "down": False, "release": threading.Event()}
        server = Server(self, handler, **{**defaults, **fields})
        self.addCleanup(server.release.set)
        return server

    def serve_tls(self):
        certificate = self.work / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate, "-out", self.work / "only.pem"],
                       check=True, capture_output=True)
        certificate.write_text(certificate.read_text() + (self.work / "only.pem").read_text())
        server = self.serve()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.url = server.url.replace("http:", "https:")
        return server

    def request(self, url, **fields):
        return {"folder": str(self.into), "name": NAME, "url": url, "stall_seconds": 5, **fields}

    def fetch(self, url, environment=None, **fields):
        code, out = helper("fetch", request=self.request(url, **fields), environment=environment)
        return code, out.decode()

    def brings(self, url, environment=None, body=None, **fields):
        code, out = self.fetch(url, environment, **fields)
        self.assertEqual(code, 0, out)
        self.assertEqual((self.into / NAME).read_bytes(), body or self.body)
        self.assertEqual([each.name for each in self.into.iterdir()], [NAME])
        (self.into / NAME).unlink()

    def refused(self, url, error, *words, environment=None, **fields):
        code, out = self.fetch(url, environment, **fields)
        self.assertEqual(code, 1, out)
        said = json.loads(out.splitlines()[-1])
        self.assertEqual(said["code"], error, said)
        for each in words:
            self.assertIn(each, said["message"] + " " + said["remedy"])
        self.assertFalse((self.into / NAME).exists())
        return said

    def test_a_plain_download(self):
        self.brings(self.origin.url + "/x.tar.gz")
        self.brings(self.origin.url + "/x.tar.gz", sha256=hashlib.sha256(self.body).hexdigest())

    def test_redirects(self):
        self.brings(self.origin.url + "/redirect/5")
        self.refused(self.origin.url + "/redirect/6", "release-fetch", "more than 5 redirects")
        self.refused(self.origin.url + "/to?file:///etc/passwd", "release-fetch", "it redirects to file:///etc/passwd")

    def test_https_stays_https(self):
        tls = self.serve_tls()
        trusted = {"SSL_CERT_FILE": str(self.work / "only.pem")}
        self.brings(tls.url + "/x.tar.gz", trusted)
        self.brings(self.origin.url + "/to?" + tls.url + "/x.tar.gz", trusted)
        self.origin.seen.clear()
        self.refused(tls.url + "/to?" + self.origin.url + "/x.tar.gz", "release-fetch", "anybody on the way", environment=trusted)
        self.assertEqual(self.origin.seen, [])
        self.refused(tls.url + "/x.tar.gz", "release-fetch", "certificate authority")

    def test_a_cut_connection_is_taken_up(self):
        self.origin.cuts = [50_000, 60_000]
        self.brings(self.origin.url + "/x.tar.gz")
        asked = [headers.get("Range") for _, headers in self.origin.seen]
        self.assertEqual(asked, [None, "bytes=50000-", "bytes=110000-"])
        self.assertEqual(self.origin.seen[1][1]["If-Range"], '"one"')

    def test_a_part_is_taken_up_by_the_next_call(self):
        """Also after a kill: what is there under the release's name is the whole, or nothing."""
        helping = subprocess.Popen([HELPER, "fetch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={})
        helping.stdin.write(json.dumps(self.request(self.origin.url + "/stall", stall_seconds=60)).encode())
        helping.stdin.close()
        part = self.into / f".{NAME}.part"
        end = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size == 1000):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        helping.kill()
        helping.wait()
        helping.stdout.close()
        self.assertFalse((self.into / NAME).exists())
        self.origin.seen.clear()
        Origin.do_stall, kept = Origin.do_GET, Origin.do_stall
        self.addCleanup(setattr, Origin, "do_stall", kept)
        del Origin.do_stall
        self.brings(self.origin.url + "/stall")
        self.assertEqual(self.origin.seen[0][1]["Range"], "bytes=1000-")

    def test_a_file_that_changed_begins_anew(self):
        self.origin.cuts = [50_000]
        other = self.release("two")
        serve = Origin.do_GET

        def change(handler):
            serve(handler)
            handler.server.body, handler.server.etag = other, '"two"'
        self.addCleanup(setattr, Origin, "do_GET", serve)
        Origin.do_GET = change
        self.brings(self.origin.url + "/x.tar.gz", body=other)

    def test_servers_that_cannot_resume(self):
        for fields in ({"ranges": False}, {"etag": ""}, {"shift": 7}):
            with self.subTest(fields):
                server = self.serve(cuts=[50_000], **fields)
                self.brings(server.url + "/x.tar.gz")

    def test_a_part_of_another_url_is_not_taken_up(self):
        self.origin.cuts = [50_000] + [0] * 10
        self.refused(self.origin.url + "/x.tar.gz", "release-fetch")
        self.assertTrue((self.into / f".{NAME}.part").exists())
        other = self.serve(body=self.release("two"))
        self.brings(other.url + "/x.tar.gz", body=other.body)
        self.assertNotIn("Range", other.seen[0][1])

    def test_an_answer_that_is_no_file_does_not_cost_the_part(self):
        self.origin.cuts = [50_000] + [0] * 10
        self.refused(self.origin.url + "/x.tar.gz", "release-fetch", "Check the network")
        self.origin.cuts, self.origin.down = [], True
        self.refused(self.origin.url + "/x.tar.gz", "release-fetch", "answered 503")
        self.origin.down = False
        self.brings(self.origin.url + "/x.tar.gz")
        self.assertEqual(self.origin.seen[-1][1]["Range"], "bytes=50000-")

    def test_a_stall_ends(self):
        began = time.monotonic()
        self.refused(self.origin.url + "/stall", "release-fetch", "nothing came for 1 s", stall_seconds=1)
        self.assertLess(time.monotonic() - began, 60)

    def test_what_a_server_says_instead(self):
        for status, error, word in ((404, "release-unknown", "answered 404"), (410, "release-unknown", "410"),
                                    (403, "release-fetch", "user and password"), (500, "release-fetch", "Try again later")):
            with self.subTest(status):
                self.refused(f"{self.origin.url}/status/{status}", error, word)
                self.assertEqual(list(self.into.iterdir()), [])
        self.refused(self.origin.url + "/page", "release-archive", "Unrecognized archive format")
        self.assertEqual(list(self.into.iterdir()), [])

    def test_nobody_answers(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.refused(f"http://127.0.0.1:{closed.getsockname()[1]}/x", "release-fetch", "Check the network")
        self.assertEqual(list(self.into.iterdir()), [])

    def test_it_is_too_large(self):
        self.refused(self.origin.url + "/x.tar.gz", "release-fetch", "larger than 1000 B", largest=1000)
        self.assertEqual(list(self.into.iterdir()), [])

    def test_hashes(self):
        found = hashlib.sha256(self.body).hexdigest()
        self.refused(self.origin.url + "/x.tar.gz", "release-checksum", found, sha256="0" * 64)
        self.assertEqual(list(self.into.iterdir()), [])
        sums = {"checksum_url": self.origin.url + "/sums"}
        self.origin.sums = f"{found}  x.tar.gz\n{'0' * 64}  y.tar.gz\n".encode()
        self.brings(self.origin.url + "/x.tar.gz", **sums)
        self.refused(self.origin.url + "/y.tar.gz", "release-checksum", found, **sums)
        self.refused(self.origin.url + "/z.tar.gz", "release-checksum", "has no SHA-256 of it", **sums)
        self.refused(self.origin.url + "/x.tar.gz", "release-unknown", "/status/404", checksum_url=self.origin.url + "/status/404")

    def test_proxies(self):
        proxy = self.serve(Proxy)
        self.brings(self.origin.url + "/x.tar.gz", proxy=proxy.url)
        self.brings(self.origin.url + "/x.tar.gz", {"http_proxy": proxy.url})
        self.assertEqual([path for path, _ in proxy.seen], [self.origin.url + "/x.tar.gz"] * 2)
        self.brings(self.origin.url + "/x.tar.gz", {"http_proxy": proxy.url, "no_proxy": "127.0.0.1"})
        self.assertEqual(len(proxy.seen), 2)
        tls = self.serve_tls()
        self.brings(tls.url + "/x.tar.gz", {"https_proxy": proxy.url, "SSL_CERT_FILE": str(self.work / "only.pem")})
        self.assertEqual(proxy.seen[-1][0], f"127.0.0.1:{tls.server_port}")
        proxy.status = 407
        self.refused(self.origin.url + "/x.tar.gz", "release-fetch", "answered 407", "releases.proxy", proxy=proxy.url)

    def test_secrets_are_sent_and_not_told(self):
        url = self.origin.url.replace("//", "//user:pa55@")
        self.brings(url + "/x.tar.gz?token=t0ken")
        self.assertEqual(self.origin.seen[-1][1]["Authorization"], "Basic dXNlcjpwYTU1")
        for path, error in (("/status/404", "release-unknown"), ("/status/500", "release-fetch"), ("/page", "release-archive"),
                            ("/redirect/9", "release-fetch")):
            said = json.dumps(self.refused(url + path + "?token=t0ken", error))
            self.assertNotIn("pa55", said)
            self.assertNotIn("t0ken", said)
        elsewhere = self.serve()
        self.brings(url + "/to?" + elsewhere.url + "/x.tar.gz")
        self.assertNotIn("Authorization", elsewhere.seen[0][1])

    def test_two_at_once_are_one(self):
        self.origin.cuts = [50_000]
        results = []
        both = [threading.Thread(target=lambda: results.append(self.fetch(self.origin.url + "/x.tar.gz"))) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join(60)
        self.assertEqual([code for code, _ in results], [0, 0], results)
        self.assertEqual(len(self.origin.seen), 2)
        self.assertEqual([each.name for each in self.into.iterdir()], [NAME])


if __name__ == "__main__":
    unittest.main()
