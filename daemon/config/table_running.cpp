// The keys of what difyd does: upgrade, health, maintenance, log.
#include "rows.hpp"

namespace difyd::config {
namespace {

constexpr key rows[] = {
    {.path = "upgrade.drain_grace",
     .where = time([](settings& s) -> auto& { return s.upgrade.drain_grace; }),
     .fallback = "30s",
     .wants = form::between,
     .range = "0s..10m",
     .description =
         "From the moment that readiness ends to the first stop: how long a load balancer needs to react."},
    {.path = "upgrade.worker_stop_limit",
     .where = time([](settings& s) -> auto& { return s.upgrade.worker_stop_limit; }),
     .fallback = "5m",
     .wants = form::between,
     .range = "1s..4h",
     .description = "How long worker and beat may finish what they are doing."},
    {.path = "upgrade.stop_limit",
     .where = time([](settings& s) -> auto& { return s.upgrade.stop_limit; }),
     .fallback = "60s",
     .wants = form::between,
     .range = "1s..1h",
     .description = "The same for every other service."},
    {.path = "upgrade.pull_timeout",
     .where = time([](settings& s) -> auto& { return s.upgrade.pull_timeout; }),
     .fallback = "1h",
     .wants = form::between,
     .range = "1m..24h",
     .description = "Bound of pulling all images; nothing is down meanwhile."},
    {.path = "upgrade.migrate_timeout",
     .where = time([](settings& s) -> auto& { return s.upgrade.migrate_timeout; }),
     .fallback = "0",
     .wants = form::between,
     .range = "0s..48h",
     .description =
         "Bound of the migration; 0 is none, and wise: a migration that is killed late is redone from "
         "the start."},
    {.path = "upgrade.start_timeout",
     .where = time([](settings& s) -> auto& { return s.upgrade.start_timeout; }),
     .fallback = "15m",
     .wants = form::between,
     .range = "10s..4h",
     .description = "How long the new version may take to become healthy."},
    {.path = "upgrade.verify_timeout",
     .where = time([](settings& s) -> auto& { return s.upgrade.verify_timeout; }),
     .fallback = "3m",
     .wants = form::between,
     .range = "1s..1h",
     .description = "How long requests through the published port may take to succeed."},
    {.path = "upgrade.backup",
     .where = text([](settings& s) -> auto& { return s.upgrade.backup; }),
     .fallback = "none",
     .wants = form::choice,
     .range = "none|pg_dump|cloudsql|command",
     .description =
         "Backup after the stop and before the migration. pg_dump: Dify's databases, the keys in its storage "
         "and its environment, into .difyd/backups of the storage root, read back before the migration "
         "begins. cloudsql: Cloud SQL's own backup of whole instances, while Dify still serves. command: your "
         "own. none: take one yourself before every upgrade."},
    {.path = "upgrade.backup_image",
     .where = text([](settings& s) -> auto& { return s.upgrade.backup_image; }),
     .example = "postgres:16-alpine",
     .description =
         "Image whose pg_dump is used; it must not be older than the server. Not given: postgres:<the "
         "server's version>-alpine, or the image of the bundle's own PostgreSQL."},
    {.path = "upgrade.backup_command",
     .where = list([](settings& s) -> auto& { return s.upgrade.backup_command; }),
     .example = "[/usr/local/sbin/dify-backup]",
     .description =
         "Program and arguments, run without a shell, with DIFYD_UPGRADE, DIFYD_FROM, DIFYD_TO (empty for difyd "
         "backup), DIFYD_BACKUP_FOLDER, PGHOST, PGPORT, PGUSER, PGPASSFILE and PGAPPNAME. 0: "
         "there is a backup; 75: not now; others: it failed. In an upgrade both make the old version start "
         "again. Sessions with another application_name are ended."},
    {.path = "upgrade.cloudsql_instances",
     .where = list([](settings& s) -> auto& { return s.upgrade.cloudsql_instances; }),
     .example = "[my-project:dify-db]",
     .description =
         "Instances that Dify's databases are on, as PROJECT:INSTANCE or by connection name. The machine's "
         "service account needs cloudsql.backupRuns.create, .get and .list."},
    {.path = "upgrade.cloudsql_api",
     .where = text([](settings& s) -> auto& { return s.upgrade.cloudsql_api; }),
     .fallback = "https://sqladmin.googleapis.com",
     .description = "Where the Cloud SQL Admin API answers."},
    {.path = "upgrade.backup_timeout",
     .where = time([](settings& s) -> auto& { return s.upgrade.backup_timeout; }),
     .fallback = "1h",
     .wants = form::between,
     .range = "10s..48h",
     .description = "Bound of the backup; Dify is down meanwhile, but for cloudsql."},
    {.path = "upgrade.hook",
     .where = list([](settings& s) -> auto& { return s.upgrade.hook; }),
     .example = "[/usr/local/sbin/dify-hook]",
     .description =
         "Program and arguments, run without a shell, with DIFYD_HOOK (before-stop, after-commit, on-undone or "
         "on-hold) and DIFYD_UPGRADE; the upgrade as JSON on standard input. Before the stop, 75 means not "
         "now: refused, the old version serves on. Otherwise what it says is shown and decides nothing."},
    {.path = "upgrade.hook_timeout",
     .where = time([](settings& s) -> auto& { return s.upgrade.hook_timeout; }),
     .fallback = "1m",
     .wants = form::between,
     .range = "1s..10m",
     .description = "Bound of the hook; then it is killed."},
    {.path = "upgrade.keep_backups",
     .where = number([](settings& s) -> auto& { return s.upgrade.keep_backups; }),
     .fallback = "5",
     .wants = form::between,
     .range = "1..1000",
     .description =
         "How many backups stay in .difyd/backups: the oldest ones are removed after a committed upgrade and "
         "after difyd backup, but never that of an upgrade in flight or held, nor what has no backup.json."},

    {.path = "health.probe_interval",
     .where = time([](settings& s) -> auto& { return s.health.probe_interval; }),
     .fallback = "10s",
     .wants = form::between,
     .range = "1s..5m",
     .description = "How often storage, database, Redis, engine and disk are looked at."},
    {.path = "health.grace",
     .where = time([](settings& s) -> auto& { return s.health.grace; }),
     .fallback = "120s",
     .wants = form::between,
     .range = "10s..1h",
     .description = "How long a fault that a new machine would cure must last before /healthz asks for one."},
    {.path = "health.starting_bound",
     .where = time([](settings& s) -> auto& { return s.health.starting_bound; }),
     .fallback = "15m",
     .wants = form::between,
     .range = "1m..4h",
     .description = "How long a start may take before it is called late."},
    {.path = "health.migrate_assumed",
     .where = time([](settings& s) -> auto& { return s.health.migrate_assumed; }),
     .fallback = "30m",
     .wants = form::between,
     .range = "1m..48h",
     .description =
         "A migration that began less than this ago counts as running even where nobody can tell."},
    {.path = "health.replacement_interval",
     .where = time([](settings& s) -> auto& { return s.health.replacement_interval; }),
     .fallback = "24h",
     .wants = form::between,
     .range = "1h..720h",
     .description = "At most one replacement of the machine is asked for per fault and this time."},

    {.path = "maintenance.page",
     .where = boolean([](settings& s) -> auto& { return s.maintenance.page; }),
     .fallback = "true",
     .description =
         "While nginx is down in an upgrade, in a hold or after difyd down, answer on its port with 503 and "
         "a page that says so."},
    {.path = "maintenance.page_file",
     .where = text([](settings& s) -> auto& { return s.maintenance.page_file; }),
     .wants = form::absolute_path,
     .example = "/etc/difyd/maintenance.html",
     .description = "HTML to show instead of the built-in page."},
    {.path = "maintenance.retry_after",
     .where = time([](settings& s) -> auto& { return s.maintenance.retry_after; }),
     .fallback = "60s",
     .wants = form::between,
     .range = "1s..1h",
     .description = "The Retry-After of that answer."},
    {.path = "maintenance.health_path",
     .where = text([](settings& s) -> auto& { return s.maintenance.health_path; }),
     .fallback = "/console/api/ping",
     .wants = form::absolute_path,
     .description = "Path that the load balancer's health check asks for on nginx's port."},
    {.path = "maintenance.answer_health_path",
     .where = boolean([](settings& s) -> auto& { return s.maintenance.answer_health_path; }),
     .fallback = "false",
     .description =
         "Answer it with 200 during maintenance, so that the load balancer shows the page and not its "
         "own error. Not where the same check drives the autohealer."},

    {.path = "log.level",
     .where = text([](settings& s) -> auto& { return s.log_level; }),
     .fallback = "info",
     .wants = form::choice,
     .range = "debug|info|warning|error",
     .description = "Lowest level that is logged."},
};

}  // namespace

std::span<const key> running_rows() { return rows; }

}  // namespace difyd::config
