"""What the worker is started with."""
from tasks import celery  # noqa: F401
