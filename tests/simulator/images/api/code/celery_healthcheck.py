"""A light application for `celery inspect ping`: the broker and nothing else."""
from celery import Celery

import settings

celery = Celery("dify-healthcheck", broker=settings.broker_url(), backend=settings.broker_url())
