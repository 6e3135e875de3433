"""Stands in for Dify's sandbox: health on port 8194; it runs no code. Like the real one it needs
the conf/config.yaml that a release ships under volumes/."""
from pathlib import Path

import standin

if not Path("/conf/config.yaml").is_file():
    standin.panic("failed to init config: open conf/config.yaml: no such file or directory")


def answer(path, _headers):
    return (200, {}, "ok") if path == "/health" else (404, {}, "404 page not found")


standin.serve(standin.env("SANDBOX_PORT", "8194"), answer)
