"""The application under the names that Dify's entry point uses: app, celery, socketio_app.
`flask db ...` gets a minimal one that knows the database and nothing else."""
import os
import secrets
import sys

from flask import Flask
from flask_migrate import Migrate

import settings
from models import db


def _secret_key():
    """From 1.14.1 on an empty SECRET_KEY means: one that is generated and kept on the storage."""
    given = os.environ.get("SECRET_KEY", "")
    if given or not settings.version_is_at_least(1, 14, 1):
        return given
    kept = settings.STORAGE / ".dify_secret_key"
    try:
        with open(kept, "x") as file:
            file.write(secrets.token_urlsafe(42))
    except FileExistsError:
        pass
    except OSError:
        return secrets.token_urlsafe(42)
    return kept.read_text()


def create_app():
    application = Flask("dify")
    application.config["SQLALCHEMY_DATABASE_URI"] = settings.database_uri()
    application.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "connect_args": settings.connect_arguments(),
        "pool_size": 5,
        "pool_pre_ping": True,
    }
    db.init_app(application)
    Migrate(application, db, directory="/app/api/migrations")
    if len(sys.argv) > 1 and sys.argv[0].endswith("flask") and sys.argv[1] == "db":
        return application
    # Everything else boots the full application and needs Redis.
    import commands
    import console
    import redis

    if sys.argv[0].endswith("flask"):
        redis.Redis(**settings.redis_arguments()).ping()
    application.secret_key = _secret_key()
    application.cli.add_command(commands.upgrade_db)
    application.register_blueprint(console.console)
    if sys.argv[0].endswith("gunicorn"):
        import sessions

        sessions.hold()
    return application


app = create_app()
if not (len(sys.argv) > 1 and sys.argv[0].endswith("flask")):
    from tasks import celery  # noqa: F401  (celery -A app.celery)
socketio_app = app
