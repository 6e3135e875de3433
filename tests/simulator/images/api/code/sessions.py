"""Holds a session on PostgreSQL and a connection to Redis for as long as the process lives, as
Dify's connection pools do: an upgrade that overlooks a process is visible in pg_stat_activity."""
import logging
import threading
import time

import psycopg2
import redis

import settings

log = logging.getLogger(__name__)


def _hold(name, connect, probe):
    connection = None
    while True:
        try:
            connection = connection or connect()
            probe(connection)
        except Exception as error:  # the server is away: try again, as a pool would on the next use
            log.warning("no session on %s: %s", name, str(error).splitlines()[0] if str(error) else error)
            connection = None
        time.sleep(2)


def _connect_database():
    connection = psycopg2.connect(settings.database_uri(), **settings.connect_arguments())
    connection.autocommit = True
    return connection


def hold():
    servers = (
        ("PostgreSQL", _connect_database, lambda connection: connection.cursor().execute("SELECT 1")),
        ("Redis", lambda: redis.Redis(**settings.redis_arguments()), lambda client: client.ping()),
    )
    for server in servers:
        threading.Thread(target=_hold, args=server, daemon=True).start()
