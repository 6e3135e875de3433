#include "loading.hpp"

#include "backup_store.hpp"
#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

// Encoding and locale are those of the database that is there. An extension that only an administrator may
// create comes with template1 or not at all; its comment is the administrator's too. A client that was killed
// may have left its session. Owners are what the role is.
constexpr const char* load_script = R"(set -eu
cd /backup
extensions=$(psql -X -d template1 -Atc "select extname from pg_extension where extname <> 'plpgsql'" 2>/dev/null || true)
for database in $DATABASES; do
  new="$database$SUFFIX"
  template=template0
  pg_restore --list "$database.dump" | grep -v ' COMMENT - EXTENSION ' >/tmp/list
  for extension in $extensions; do
    if grep -q " EXTENSION - $extension *$" /tmp/list; then template=template1; fi
  done
  psql -X -q -v ON_ERROR_STOP=1 -d "$THROUGH" -v new="$new" -v like="$database" -v template="$template" >/dev/null <<'SQL'
set client_min_messages = warning;
select pg_terminate_backend(pid) from pg_stat_activity
  where datname = :'new' and backend_type = 'client backend' and pg_has_role(usesysid, 'USAGE');
drop database if exists :"new";
select format('create database %I template %I', :'new', :'template') || coalesce((select
    format(' encoding %L lc_collate %L lc_ctype %L', pg_encoding_to_char(encoding), datcollate, datctype)
    || case to_jsonb(d) ->> 'datlocprovider'
       when 'i' then format(' locale_provider icu icu_locale %L',
                            coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
       when 'b' then format(' locale_provider builtin builtin_locale %L', to_jsonb(d) ->> 'datlocale')
       else '' end
  from pg_database d where datname = :'like'), '') \gexec
SQL
  pg_restore --exit-on-error --no-owner --use-list=/tmp/list --dbname="$new" "$database.dump"
  echo "$database.dump is in database $new"
done
)";

}  // namespace

task<Result<>> load_into(world& w, release_ptr on, client_job job, std::string backup,
                         std::vector<std::string> databases, std::string suffix) {
  job.script = load_script;
  job.mounts = {bound(backup_folder(w, backup), "/backup", true)};
  job.environment = {
      {"DATABASES", join(databases, " ")}, {"SUFFIX", suffix}, {"THROUGH", w.settings.database.lease}};
  auto image = co_await client_image(w, on);
  if (!image) co_return fail(image.error());
  auto done = co_await run_client(w, on, *image, std::move(job));
  if (done) co_return Result<>{};
  auto error = done.error();
  if (error.message.find("create extension") != std::string::npos)
    error.remedy =
        "As an administrator, in database template1: CREATE EXTENSION of that name, then try again";
  co_return fail(error);
}

}  // namespace difyd::supervisor
