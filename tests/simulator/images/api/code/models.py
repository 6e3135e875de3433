"""The few tables that the stand-in reads and writes; the migrations are what counts."""
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func

db = SQLAlchemy()


class DifySetup(db.Model):
    __tablename__ = "dify_setups"
    version = db.Column(db.String(255), primary_key=True)
    setup_at = db.Column(db.DateTime, nullable=False, server_default=func.now())


class Tenant(db.Model):
    __tablename__ = "tenants"
    id = db.Column(db.Uuid, primary_key=True)
    name = db.Column(db.String(255), nullable=False)
    encrypt_public_key = db.Column(db.Text)


class Tick(db.Model):
    """A line for every beat that a worker has handled: which version wrote, and when."""

    __tablename__ = "simulator_ticks"
    id = db.Column(db.BigInteger, primary_key=True)
    version = db.Column(db.String(255), nullable=False)
    at = db.Column(db.DateTime, nullable=False, server_default=func.clock_timestamp())
