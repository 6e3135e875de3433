"""Stands in for Weaviate: readiness, meta (behind the API key) and a data directory; no vectors."""
from pathlib import Path

import standin

data = Path(standin.env("PERSISTENCE_DATA_PATH", "/var/lib/weaviate"))
data.mkdir(parents=True, exist_ok=True)
(data / "simulator.version").write_text(standin.VERSION + "\n")

anonymous = standin.env("AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", "false") == "true"
keys = standin.env("AUTHENTICATION_APIKEY_ALLOWED_KEYS").split(",")


def answer(path, headers):
    if path in ("/v1/.well-known/ready", "/v1/.well-known/live"):
        return 200, {}, ""
    if not anonymous and headers.get("Authorization", "").removeprefix("Bearer ") not in keys:
        return 401, {}, {"code": 401, "message": "anonymous access not enabled"}
    if path == "/v1/meta":
        return 200, {}, {"hostname": "http://[::]:8080", "version": standin.VERSION, "modules": {}}
    return 404, {}, {"code": 404, "message": "not found"}


standin.serve(8080, answer)
