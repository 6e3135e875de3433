#include "difyd/health/probes.hpp"

#include <chrono>

#include "difyd/base/task_group.hpp"
#include "difyd/http/client.hpp"

namespace difyd::health {
namespace {

using clock = std::chrono::steady_clock;

constexpr duration limit = std::chrono::seconds(5);

duration since(clock::time_point began) { return std::chrono::duration_cast<duration>(clock::now() - began); }

task<Result<engine::engine_version>> engine_version(std::shared_ptr<engine::client> client) {
  // connect() negotiates once; the ping that follows is the trivial call whose time counts.
  auto version = co_await client->connect(limit);
  if (!version) co_return version;
  auto pinged = co_await client->ping(limit);
  if (!pinged) co_return std::unexpected(pinged.error());
  co_return version;
}

task<Result<findings>> as_result(task<findings> probe) { co_return co_await std::move(probe); }

}  // namespace

task<findings> probe_engine(std::shared_ptr<engine::client> client) {
  const auto began = clock::now();
  const auto version = co_await engine_version(client);
  co_return findings{judge_engine(version, since(began))};
}

task<findings> probe_database(database_target target) {
  const bool own = !target.server;
  if (own)
    target.server = std::make_shared<database::server>(co_await asio::this_coro::executor, target.where);
  const auto server = co_await target.server->facts(target.name);
  Result<database::database_facts> inside;
  Result<revision> at;
  if (server && target.needs_vector) inside = co_await target.server->facts_of(target.name);
  if (server && target.has_revision) at = co_await target.server->alembic_revision(target.name);
  if (own) co_await target.server->close();
  co_return judge_database(target, server, inside, at);
}

task<findings> probe_port(port_target target) {
  http::client client(co_await asio::this_coro::executor, http::tcp_endpoint(target.address, target.port));
  http::request wanted;
  wanted.target = target.path;
  wanted.headers.set("User-Agent", "difyd");
  const auto began = clock::now();
  http::send_options options;
  options.deadline = limit;
  const auto answer = co_await client.send(std::move(wanted), options);
  const Result<int> status = answer ? Result<int>(answer->status) : std::unexpected(answer.error());
  co_return findings{judge_port(target, status, since(began))};
}

task<findings> guarded(std::string subject, task<findings> probe, duration within) {
  std::string cause;
  try {
    auto found = co_await with_deadline(as_result(std::move(probe)), within, "probe " + subject);
    if (found) co_return std::move(*found);
    cause = found.error().message;
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    cause = error.what();
  } catch (const std::exception& error) {
    cause = error.what();
  }
  co_return findings{finding{subject,
                             "probe-failed",
                             severity::error,
                             "cannot probe " + subject + ": " + cause,
                             "Please report it: it is a mistake of difyd's",
                             false,
                             {}}};
}

}  // namespace difyd::health
