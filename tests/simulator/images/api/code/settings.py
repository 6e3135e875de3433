"""What the containers are told by their environment, under Dify's own names."""
import os
import sys
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus

VERSION = Path("/etc/simulator/version").read_text().strip()
BEHAVIOUR = Path("/etc/simulator/behaviour").read_text().strip()
STORAGE = Path("/app/api/storage")


def version_is_at_least(*numbers):
    return tuple(int(part) for part in VERSION.split(".")) >= numbers


def env(name, default=""):
    return os.environ.get(name) or default


def service():
    """The name that PostgreSQL shows: what the process is, not what its container is called."""
    if sys.argv[0].endswith("flask"):
        return "flask"
    return env("MODE", "api")


def database_uri():
    login = f"{quote_plus(env('DB_USERNAME', 'postgres'))}:{quote_plus(env('DB_PASSWORD'))}"
    place = f"{env('DB_HOST', 'localhost')}:{env('DB_PORT', '5432')}/{env('DB_DATABASE', 'dify')}"
    charset = f"client_encoding={env('DB_CHARSET')}" if env("DB_CHARSET") else ""
    extras = "&".join(part for part in (env("DB_EXTRAS"), charset) if part)
    return f"postgresql://{login}@{place}" + (f"?{extras}" if extras else "")


def connect_arguments():
    """Dify passes the time zone as libpq's `options`, merged with those of DB_EXTRAS, so that
    PGOPTIONS never counts. The application name is a fallback: PGAPPNAME wins over it."""
    given = dict(parse_qsl(env("DB_EXTRAS"))).get("options", "")
    return {
        "options": f"{given} -c timezone=UTC".strip(),
        "fallback_application_name": f"dify-{VERSION}-{service()}",
        "connect_timeout": 10,
    }


def redis_arguments():
    return {
        "host": env("REDIS_HOST", "localhost"),
        "port": int(env("REDIS_PORT", "6379")),
        "username": env("REDIS_USERNAME") or None,
        "password": env("REDIS_PASSWORD") or None,
        "db": int(env("REDIS_DB", "0")),
        "ssl": env("REDIS_USE_SSL", "false").lower() == "true",
        "socket_connect_timeout": 5,
    }


def broker_url():
    return env("CELERY_BROKER_URL", "redis://localhost:6379/1")
