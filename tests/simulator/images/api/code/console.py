"""The endpoints that a supervisor can ask."""
import hashlib
import os
import subprocess
import uuid

from flask import Blueprint, jsonify, request

import settings
from models import DifySetup, Tenant, Tick, db

console = Blueprint("console", __name__)
KEYS = settings.STORAGE / "privkeys"


def _sick():
    return settings.BEHAVIOUR == "health-500"


@console.after_app_request
def _name_the_version(response):
    response.headers["X-Version"] = settings.VERSION
    return response


@console.get("/health")
def health():
    status = "sick" if _sick() else "ok"
    return jsonify(pid=os.getpid(), status=status, version=settings.VERSION), 500 if _sick() else 200


@console.get("/console/api/ping")
def ping():
    return jsonify(result="pong"), 500 if _sick() else 200


@console.get("/console/api/setup")
def setup_state():
    row = db.session.query(DifySetup).first()
    if row is None:
        return jsonify(step="not_started", setup_at=None)
    return jsonify(step="finished", setup_at=row.setup_at.isoformat())


@console.post("/console/api/setup")
def setup():
    """The first user: a tenant, its key pair (the private half only on the storage) and the mark."""
    if db.session.query(DifySetup).first() is not None:
        return jsonify(code="already_setup", message="Dify has been set up already"), 403
    tenant = uuid.uuid4()
    private = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                             check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=private, check=True, capture_output=True).stdout
    folder = KEYS / str(tenant)
    folder.mkdir(parents=True)
    (folder / "private.pem").write_bytes(private)
    name = (request.get_json(silent=True) or {}).get("name", "simulator")
    db.session.add_all([Tenant(id=tenant, name=name, encrypt_public_key=public.decode()),
                        DifySetup(version=settings.VERSION)])
    db.session.commit()
    return jsonify(result="success"), 201


def _key_fits(tenant):
    try:
        public = subprocess.run(["openssl", "pkey", "-pubout", "-in", KEYS / str(tenant.id) / "private.pem"],
                                check=True, capture_output=True).stdout
    except subprocess.CalledProcessError:
        return False
    return public.decode() == tenant.encrypt_public_key


@console.get("/console/api/simulator/state")
def state():
    """Not Dify's: whether database, storage and secret key still belong together."""
    from flask import current_app

    tenants = db.session.query(Tenant).all()
    return jsonify(
        version=settings.VERSION,
        tenants=[{"id": str(each.id), "name": each.name, "private_key_fits": _key_fits(each)} for each in tenants],
        ticks={version: count for version, count in
               db.session.query(Tick.version, db.func.count()).group_by(Tick.version)},
        secret_key_sha256=hashlib.sha256(current_app.secret_key.encode()).hexdigest(),
    )
