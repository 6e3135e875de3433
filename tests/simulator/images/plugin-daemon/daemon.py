"""Stands in for Dify's plugin daemon: a database of its own that it creates where it may, a table
that is only ever added to, Redis, a storage folder; health on SERVER_PORT, which listens only once
all of that is there. With `migrate` (0.6.0 and later) it only brings the tables up."""
import sys
import threading
import time
from pathlib import Path

import psycopg2
import redis

import standin
from standin import env

SERVICE = "plugin_daemon_migrate" if "migrate" in sys.argv else "plugin_daemon"
MIGRATES_ITSELF = tuple(int(part) for part in standin.VERSION.split(".")) < (0, 6, 0)


def connect(database):
    connection = psycopg2.connect(
        host=env("DB_HOST", "localhost"), port=env("DB_PORT", "5432"), dbname=database,
        user=env("DB_USERNAME", "postgres"), password=env("DB_PASSWORD"), sslmode=env("DB_SSL_MODE", "disable"),
        connect_timeout=10, fallback_application_name=f"dify-{standin.VERSION}-{SERVICE}")
    connection.autocommit = True
    return connection


def create_database(name):
    """On any error the daemon looks whether its database is missing and creates it, name unquoted."""
    maintenance = connect(env("DB_DEFAULT_DATABASE", "postgres"))
    with maintenance.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE DATABASE {name}")
    maintenance.close()


def open_database():
    name = env("DB_DATABASE", "dify_plugin")
    try:
        try:
            return connect(name)
        except psycopg2.Error:
            create_database(name)
            return connect(name)
    except psycopg2.Error as error:
        standin.panic(f"failed to init dify plugin db: {str(error).strip()}")


def migrate(database):
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS plugin_installations ("
                       "id bigserial PRIMARY KEY, identifier text NOT NULL, created_at timestamptz DEFAULT now())")
        cursor.execute("INSERT INTO plugin_installations (identifier) SELECT 'simulator/plugin:0.0.1' "
                       "WHERE NOT EXISTS (SELECT 1 FROM plugin_installations)")


def keep(database, client):
    """Holds a session on both for as long as the process lives, and takes it again when it is lost."""
    while True:
        time.sleep(2)
        try:
            database.cursor().execute("SELECT 1")
        except psycopg2.Error:
            try:
                database = connect(env("DB_DATABASE", "dify_plugin"))
            except psycopg2.Error as error:
                print(f"no session on PostgreSQL: {str(error).strip()}", file=sys.stderr, flush=True)
        try:
            client.ping()
        except redis.exceptions.RedisError as error:
            print(f"no connection to Redis: {error}", file=sys.stderr, flush=True)


def main():
    database = open_database()
    if MIGRATES_ITSELF or "migrate" in sys.argv:
        migrate(database)
    if "migrate" in sys.argv:
        return
    client = redis.Redis(host=env("REDIS_HOST", "localhost"), port=int(env("REDIS_PORT", "6379")),
                         password=env("REDIS_PASSWORD") or None, socket_connect_timeout=5)
    try:
        client.ping()
    except redis.exceptions.RedisError as error:
        standin.panic(f"failed to init redis client: {error}")
    packages = Path(env("PLUGIN_STORAGE_LOCAL_ROOT", "/app/storage")) / env("PLUGIN_PACKAGE_CACHE_PATH", "plugin_packages")
    packages.mkdir(parents=True, exist_ok=True)
    (packages / "simulator-plugin-0.0.1").touch()
    threading.Thread(target=keep, args=(database, client), daemon=True).start()
    health = {"status": "ok", "version": standin.VERSION, "pool_status": {}}
    standin.serve(env("SERVER_PORT", "5002"),
                  lambda path, _: (200, {}, health) if path == "/health/check" else (404, {}, {"error": "not found"}))


main()
