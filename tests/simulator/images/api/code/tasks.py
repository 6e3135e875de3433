"""A real Celery application on the broker that Dify uses (Redis, database 1)."""
import time

from celery import Celery
from celery.signals import beat_init, worker_init

import sessions
import settings

celery = Celery("dify", broker=settings.broker_url())
celery.conf.update(
    task_default_queue="dataset",
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    beat_schedule={"tick": {"task": "simulator.tick", "schedule": 5.0, "options": {"expires": 5.0}}},
)


@celery.task(name="simulator.tick")
def tick():
    from app import app
    from models import Tick, db

    with app.app_context():
        db.session.add(Tick(version=settings.VERSION))
        db.session.commit()


@celery.task(name="simulator.busy")
def busy(seconds):
    """Work that SIGTERM has to wait for: Celery's warm shutdown ends a task before it ends itself."""
    time.sleep(seconds)


@worker_init.connect
@beat_init.connect
def _hold_sessions(**_):
    sessions.hold()
