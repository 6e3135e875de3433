#include "links.hpp"

#include <sys/stat.h>

#include "difyd/base/log.hpp"
#include "difyd/ledger/store.hpp"
#include "operations.hpp"
#include "readiness.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

Error error_of(const finding& found) {
  return Error{found.code, "cannot use the storage: " + found.detail, found.remedy};
}

std::string owner_text(const database::owner& other) {
  return "held by " + other.hostname + " (" + other.client_address + "), renewed at " + other.renewed_at;
}

}  // namespace

host::storage_expectation storage_expectation(const config::settings& settings) {
  host::storage_expectation expected;
  expected.kind = settings.storage.kind == "nfs" ? host::storage_kind::nfs : host::storage_kind::local;
  expected.root = settings.storage.root;
  expected.server = settings.storage.server;
  expected.exported = settings.storage.export_path;
  return expected;
}

task<Result<>> prove_storage(world& w) {
  const auto expected = storage_expectation(w.settings);
  if (expected.kind == host::storage_kind::nfs) {
    auto mounts = host::read_mounts();
    if (!mounts) co_return fail(mounts.error());
    if (const auto mount = host::judge_mount(expected, *mounts); mount.level >= severity::error)
      co_return fail(error_of(mount));
  }
  const auto state = co_await w.storage.probe(expected.uid);
  const auto share = host::judge_share(expected, state);
  if (share.level >= severity::error) co_return fail(error_of(share));
  co_return Result<>{};
}

task<Result<>> open_ledger(world& w) {
  if (w.book) co_return Result<>{};
  auto store = std::make_shared<ledger::folder_store>(w.executor, w.settings.storage.root + "/.difyd");
  auto book = co_await ledger::book::open(w.executor, std::move(store));
  if (!book) co_return fail(book.error());
  w.book = std::move(*book);
  co_return Result<>{};
}

Result<database::endpoint> database_endpoint(const world& w) {
  const auto& wanted = w.settings.database;
  database::endpoint where;
  where.host = wanted.host;
  where.port = wanted.port;
  where.user = wanted.user;
  where.password = wanted.password.reveal();
  where.sslmode = wanted.sslmode;
  where.ca_file = wanted.ca_file;
  if (wanted.kind != "bundled") return where;
  const auto release = *w.in_force.get();
  if (release) {
    const auto& values = release->environment.values;
    const auto value = [&](const char* key, std::string& target) {
      if (const auto found = values.find(key); found != values.end() && !found->second.empty())
        target = found->second;
    };
    value("DB_HOST", where.host);
    value("DB_USERNAME", where.user);
    value("DB_PASSWORD", where.password);
    where.port = 5432;
  }
  const auto now = w.observed.get();
  if (const std::string address = address_of(*now, w.settings.project, where.host); !address.empty()) {
    where.host = address;
    where.sslmode = "prefer";
    return where;
  }
  return fail("database-not-up", where.host.empty() ? "cannot reach the database: the stack is not up"
                                                    : "cannot reach the database: service " + where.host +
                                                          " of the stack does not run");
}

Result<> link_database(world& w) {
  auto where = database_endpoint(w);
  if (!where) return fail(where.error());
  const bool same = w.database && w.database->where().host == where->host &&
                    w.database->where().port == where->port &&
                    w.database->where().password == where->password;
  if (same) return {};
  w.database = std::make_shared<database::server>(w.executor, *where);
  where->application_name = "difyd-lease";
  w.lease = std::make_shared<database::lease>(w.executor, *where, w.settings.database.main,
                                              w.settings.database.lease, database::this_machine());
  return {};
}

task<Result<bool>> take_lease(world& w) {
  const auto lease = w.lease;
  if (lease->held() && co_await lease->check()) co_return true;
  auto state = co_await lease->acquire();
  if (!state) {
    w.lease_text.set("not held: " + state.error().message);
    co_return fail(state.error());
  }
  if (state->held)
    w.lease_text.set("held since " + to_rfc3339(std::chrono::system_clock::now()));
  else
    w.lease_text.set(state->other ? owner_text(*state->other) : "held by another machine");
  co_return state->held;
}

task<void> await_lease(world& w) {
  for (;;) {
    const auto taken = co_await take_lease(w);
    if (taken && *taken) co_return;
    stand(w, phase::waiting_for_lease,
          taken ? "the database is " + *w.lease_text.get() : sentence(taken.error()));
    co_await pause(3s);
  }
}

task<void> keep_lease(world& w) {
  for (;;) {
    const auto lease = w.lease;
    co_await pause(lease && !lease->held() ? 2s : 10s);
    // Before the first lease there is nothing to keep; the start takes it.
    const auto at = w.stands.get()->at;
    if (!lease || (at == phase::starting && !fallen(w)) || at == phase::waiting_for_lease) continue;
    const bool up = at == phase::serving || at == phase::upgrading || fallen(w);
    const auto deployed = w.book ? w.book->current().deployed : std::nullopt;
    const auto renewed = co_await lease->renew(deployed ? deployed->version.text() : std::string(), up);
    if (renewed || lease->held()) continue;
    w.lease_text.set("lost: " + renewed.error().message);
    const auto taken = co_await take_lease(w);
    if (taken && *taken)
      log::info("lease", "taken again");
    else if (taken && (w.stands.get()->at == phase::serving || fallen(w)))
      propose_stand_down(w);
    else
      log::warning("lease", "cannot renew the lease", {{"cause", renewed.error().message}});
  }
}

task<Result<revision>> read_schema(world& w) {
  const auto database = w.database;
  if (!database) co_return fail("database-not-up", "cannot read the schema revision: no database yet");
  auto found = co_await database->alembic_revision(w.settings.database.main);
  if (found) w.schema.set(found->id);
  co_return found;
}

}  // namespace difyd::supervisor
