#!/bin/bash
# Behaves as the entry point of Dify's api image does from 1.7 to 1.15 (facts, section c):
# MIGRATION_ENABLED, then MODE worker | beat | migration | job | anything else = the web server.
set -e

behaviour=$(cat /etc/simulator/behaviour)

if [ "${MIGRATION_ENABLED:-}" = true ]; then
  echo "Running migrations"
  flask upgrade-db
  if [ "${MODE:-}" = migration ]; then
    echo "Migrations are done, the container ends"
    exit 0
  fi
fi

case ${MODE:-} in
  worker)
    if [ "$behaviour" = worker-ignores-term ]; then
      # As process 1 this shell takes the signal and does nothing: only SIGKILL ends the container.
      trap 'echo "SIGTERM ignored, as this version promises"' TERM
      celery -A celery_entrypoint.celery worker -P threads -c 1 -l INFO &
      while kill -0 $! 2>/dev/null; do wait $! || true; done
      exit 1
    fi
    exec celery -A celery_entrypoint.celery worker -P threads -c "${CELERY_WORKER_AMOUNT:-1}" \
      -Q "${CELERY_QUEUES:-dataset,workflow,mail}" -l "${LOG_LEVEL:-INFO}"
    ;;
  beat)
    exec celery -A app.celery beat -s /tmp/celerybeat-schedule --pidfile= -l "${LOG_LEVEL:-INFO}"
    ;;
  job)
    exec flask "$@"
    ;;
esac

if [ "$behaviour" = never-listens ]; then
  echo "this version starts and never listens"
  trap 'exit 0' TERM
  while :; do sleep 1 & wait $! || true; done
fi

exec gunicorn --bind "${DIFY_BIND_ADDRESS:-0.0.0.0}:${DIFY_PORT:-5001}" --workers 1 --worker-class gthread \
  --threads 8 --graceful-timeout 5 --access-logfile /dev/null app:app
