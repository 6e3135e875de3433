#include "links.hpp"

#include <algorithm>

#include "backing_up.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "difyd/ledger/store.hpp"
#include "engine_work.hpp"
#include "leasing.hpp"
#include "local_copy.hpp"
#include "readiness.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

Error error_of(const finding& found) {
  return Error{found.code, "cannot use the storage: " + found.detail, found.remedy};
}

void tell_wait(world& w, const Error& why) {
  const std::string what = w.book && w.book->current().restoring ? "the restore" : "the upgrade";
  if (w.stands.get()->at == phase::upgrading) stand(w, phase::upgrading, what + " waits: " + why.message);
}

// No word more is written to a ledger that is another machine's by now. A share that takes no writes costs an
// upgrade that is under way time: without its journal it can neither go on nor back.
task<Result<>> may_write(world& w, std::optional<Error> failed) {
  if (failed) {
    if (w.stands.get()->at != phase::upgrading || *w.abort_asked.get()) co_return std::unexpected(*failed);
    tell_wait(w, *failed);
    co_await pause(1s);
  }
  for (;;) {
    const auto ours = co_await still_ours(w);
    if (ours) co_return Result<>{};
    tell_wait(w, ours.error());  // an abort waits, too: it writes
    co_await pause(1s);
  }
}

}  // namespace

host::storage_expectation storage_expectation(const world& w) {
  const auto& storage = w.settings.storage;
  host::storage_expectation expected;
  expected.kind = storage.kind == "nfs"     ? host::storage_kind::nfs
                  : storage.kind == "mount" ? host::storage_kind::mount
                                            : host::storage_kind::local;
  expected.root = storage.root;
  expected.server = storage.server;
  expected.exported = storage.export_path;
  expected.source = storage.source;
  expected.fstype = storage.fstype;
  expected.options = storage.options;
  expected.managed = storage.manage;
  expected.identity = w.share.value_or("");
  expected.failed_remounts = w.mounting.attempts;
  return expected;
}

task<Result<>> prove_storage(world& w) {
  const auto expected = storage_expectation(w);
  if (expected.kind != host::storage_kind::local) {
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

task<Result<>> read_share_identity(world& w) {
  auto identity = co_await w.storage.read(".difyd/share-id", 4096);
  if (!identity && identity.error().code != "file-missing") co_return fail(identity.error());
  w.share = identity ? std::string(trim(*identity)) : std::string();
  co_return Result<>{};
}

task<Result<>> open_ledger(world& w) {
  if (auto read = co_await read_share_identity(w); !read) co_return read;
  if (w.book) {
    if (auto read = co_await w.book->reload(); !read) co_return read;
  } else {
    auto store = std::make_shared<ledger::share_store>(w.storage, ".difyd");
    ledger::write_gate gate = [&w](std::optional<Error> failed) { return may_write(w, std::move(failed)); };
    auto book = co_await ledger::book::open(w.executor, std::move(store), std::move(gate));
    if (!book) co_return fail(book.error());
    w.book = std::move(*book);
  }
  w.local.reset();
  if (nothing_known(w.book->current())) w.local = co_await deployed_here_before(w);
  if (auto read = co_await read_backups(w); !read) log::warning("backup", read.error().message);
  co_return Result<>{};
}

Result<database::endpoint> database_endpoint(const world& w) {
  const auto& wanted = w.settings.database;
  auto where = endpoint_of(wanted);
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
                                              w.settings.database.lease, identity_of(w));
  return {};
}

task<Result<>> reach_database(world& w, release_ptr what, const std::string& operation) {
  if (w.settings.database.kind == "bundled")
    if (auto up = co_await bring_up(w, what, infrastructure(what->project), operation,
                                    w.settings.upgrade.start_timeout, false);
        !up)
      co_return up;
  co_return link_database(w);
}

task<Result<revision>> read_schema(world& w) {
  const auto database = w.database;
  if (!database) co_return fail("database-not-up", "cannot read the schema revision: no database yet");
  auto found = co_await database->alembic_revision(w.settings.database.main);
  if (found) w.schema.set(found->id);
  co_return found;
}

}  // namespace difyd::supervisor
