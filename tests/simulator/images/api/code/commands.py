"""`flask upgrade-db` with the faults that the releases had (facts, section c): until 1.13.0 every
failure but Alembic's own ends with exit code 0; until 1.13.1 the lock runs out after 60 s."""
import logging
import sys
import threading

import click
import flask_migrate
import redis

import settings

LOCK_SECONDS = 60


def _renew(lock, done):
    while not done.wait(20):
        lock.extend(LOCK_SECONDS, replace_ttl=True)


def _release(lock):
    try:
        lock.release()
    except redis.exceptions.LockNotOwnedError:
        if not settings.version_is_at_least(1, 13, 1):
            raise


@click.command("upgrade-db")
def upgrade_db():
    click.echo("Preparing the database migration")
    lock = redis.Redis(**settings.redis_arguments()).lock("db_upgrade_lock", timeout=LOCK_SECONDS, thread_local=False)
    if not lock.acquire(blocking=False):
        click.echo("Database migration skipped")
        return
    done = threading.Event()
    if settings.version_is_at_least(1, 13, 1):
        threading.Thread(target=_renew, args=(lock, done), daemon=True).start()
    try:
        flask_migrate.upgrade()
        click.echo("Database migration successful")
    except Exception:
        logging.exception("the database migration failed")
        if settings.version_is_at_least(1, 13, 0):
            sys.exit(1)
    finally:
        done.set()
        _release(lock)
