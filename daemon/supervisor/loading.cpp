#include "loading.hpp"

#include "backup_store.hpp"

namespace difyd::supervisor {
namespace {

// Encoding and locale are those of the database that was dumped; its tablespace is not. An extension that
// only an administrator may create comes with template1 or not at all; its comment is the administrator's
// too. A client that was killed may have left its session. Owners are what the role is.
constexpr const char* load_script = R"(set -eu
cd /backup
extensions=$(psql -X -d template1 -Atc "select extname from pg_extension where extname <> 'plpgsql'" 2>/dev/null || true)
for each in $DATABASES; do
  database=${each%/*} new=${each#*/}
  template=template0
  pg_restore --list "$database.dump" | grep -v ' COMMENT - EXTENSION ' >/tmp/list
  for extension in $extensions; do
    if grep -q " EXTENSION - $extension *$" /tmp/list; then template=template1; fi
  done
  like=$(pg_restore --create --schema-only --file=- "$database.dump" |
    sed -n 's/^CREATE DATABASE .* WITH TEMPLATE = template0 \(.*\);$/\1/p' | sed '2,$d; s/ TABLESPACE = .*//')
  [ -n "$like" ] || { echo "error: $database.dump does not say the encoding of its database"; exit 1; }
  psql -X -q -v ON_ERROR_STOP=1 -d "$THROUGH" -v new="$new" -v like="$like" -v template="$template" >/dev/null <<'SQL'
set client_min_messages = warning;
select pg_terminate_backend(pid) from pg_stat_activity
  where datname = :'new' and backend_type = 'client backend' and pg_has_role(usesysid, 'USAGE');
drop database if exists :"new";
create database :"new" template :"template" :like;
SQL
  pg_restore --exit-on-error --no-owner --use-list=/tmp/list --dbname="$new" "$database.dump"
  echo "$database.dump is in database $new"
done
)";

}  // namespace

task<Result<>> load_into(world& w, release_ptr on, client_job job, load_order what) {
  job.script = load_script;
  job.mounts = {bound(backup_folder(w, what.backup), "/backup", true)};
  std::string names;
  for (const auto& each : what.databases) names += each.from + "/" + each.to + " ";
  job.environment = {{"DATABASES", names}, {"THROUGH", what.through}};
  auto done = co_await run_client(w, on, what.image, std::move(job));
  if (done) co_return Result<>{};
  auto error = done.error();
  if (error.message.find("create extension") != std::string::npos)
    error.remedy =
        "As an administrator, in database template1: CREATE EXTENSION of that name, then try again";
  co_return fail(error);
}

}  // namespace difyd::supervisor
