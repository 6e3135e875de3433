#include "difyd/supervisor/serve.hpp"

#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "configured.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/process.hpp"
#include "difyd/config/load.hpp"
#include "difyd/control/claim.hpp"
#include "difyd/health/render.hpp"
#include "difyd/http/server.hpp"
#include "engine_work.hpp"
#include "guarding.hpp"
#include "healing.hpp"
#include "health_child.hpp"
#include "judging.hpp"
#include "leasing.hpp"
#include "local_copy.hpp"
#include "maintenance.hpp"
#include "migrations.hpp"
#include "mounting.hpp"
#include "operations.hpp"
#include "owed_commands.hpp"
#include "probing.hpp"
#include "publishing.hpp"
#include "rehearsing.hpp"
#include "replacing.hpp"
#include "routes.hpp"
#include "start.hpp"
#include "start_choice.hpp"
#include "watching.hpp"
#include "world.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

int complain(const Error& error) {
  std::fprintf(stderr, "difyd: %s\n", error.message.c_str());
  if (!error.remedy.empty()) std::fprintf(stderr, "       %s\n", error.remedy.c_str());
  return error.code.starts_with("config-") || error.code == "endpoint-invalid" ? 2 : 1;
}

log::level level_of(const std::string& name) {
  if (name == "debug") return log::level::debug;
  if (name == "warning") return log::level::warning;
  if (name == "error") return log::level::error;
  return log::level::info;
}

Result<> make_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return fail("file-io", "cannot make folder " + path + ": " + std::strerror(errno),
              "Its parent must exist and be writable");
}

Result<http::endpoint> engine_endpoint(const config::settings& settings) {
  if (!settings.engine_host.empty()) return http::parse_endpoint(settings.engine_host);
  return engine::endpoint_from_environment();
}

// A system that goes down takes the stack with it in order; a restart of the daemon leaves it up.
task<bool> system_is_stopping() {
  process_spec spec;
  spec.argv = {"/usr/bin/systemctl", "is-system-running"};
  spec.limit = 3s;
  const auto state = co_await run_process(std::move(spec));
  co_return state && state->output.rfind("stopping", 0) == 0;
}

task<void> stop_stack(world& w) {
  const auto release = *w.in_force.get();
  auto seen = co_await look(w, release ? project_of(release) : project_ptr());
  if (!seen) co_return;
  auto plan = stack::plan_stop(release ? project_of(release) : project_ptr(), *seen);
  const auto stopped = co_await carry_out(w, std::move(plan), "shutdown");
  if (!stopped)
    log::error("shutdown", "the stack did not stop cleanly", {{"cause", stopped.error().message}});
}

// Proposes the start until the stack serves, holds or is stopped; again when the phase falls back.
task<void> keep_starting(world& w) {
  for (;;) {
    const auto at = w.stands.get()->at;
    // An upgrade whose operation ended without an ending is resumed by the start.
    const bool wanted = at == phase::starting || at == phase::waiting_for_lease || at == phase::upgrading;
    if (wanted && !w.chief.busy_with(priority::converge)) propose_start(w);
    if (w.book) (void)co_await w.book->settle();
    co_await pause(at == phase::starting ? pause_before_start(w.failed_starts) : duration(5s));
  }
}

// What a daemon that was killed has left of a rehearsal.
task<void> sweep_once(world& w) {
  while (w.stands.get()->at != phase::serving) co_await pause(2s);
  if (w.aside.running()) co_return;
  if (auto swept = co_await sweep_after_start(w); !swept)
    log::warning("rehearsal", "what an earlier one left may still be there",
                 {{"cause", swept.error().message}});
}

task<void> tell_systemd(world& w) {
  std::string told;
  for (;;) {
    const auto stands = w.stands.get();
    const std::string status = "STATUS=" + std::string(to_text(stands->at)) + ": " + stands->message;
    if (status != told) ::sd_notify(0, status.c_str());
    told = status;
    std::uint64_t limit = 0;
    if (::sd_watchdog_enabled(0, &limit) > 0) ::sd_notify(0, "WATCHDOG=1");
    co_await pause(2s);
  }
}

class daemon_process {
 public:
  daemon_process(asio::io_context& loop, configured from, http::endpoint engine_at, serve_options options)
      : loop_(loop),
        options_(std::move(options)),
        world_(loop.get_executor(), std::move(from.settings), std::move(engine_at)),
        server_(loop.get_executor(), make_routes(world_)),
        group_(loop.get_executor(), on_failure()),
        watcher_(world_, group_),
        guard_(world_, group_) {
    world_.invalid_configuration = std::move(from.invalid);
    world_.configuration = std::move(from.files);
  }

  // Both the socket and the project on the engine are one daemon's.
  Result<> listen() {
    auto claimed = control::claim::take(loop_.get_executor(), world_.settings.project, world_.engine.where());
    if (!claimed) return std::unexpected(claimed.error());
    claim_ = std::move(*claimed);
    http::unix_listener listener;
    listener.path = world_.settings.listen.control;
    listener.group = world_.settings.listen.socket_group;
    listener.mode = listener.group.empty() ? 0600 : 0660;
    return server_.listen(listener);
  }

  task<void> run() {
    remember_maintenance(world_);
    group_.spawn("judging", keep_judging(world_));
    group_.spawn("publishing", keep_publishing(world_));
    group_.spawn("own page", keep_own_page(world_));
    start_probing(world_, group_);
    group_.spawn("replacements", keep_replacements(world_));
    group_.spawn("watching", watcher_.run());
    group_.spawn("engine", keep_engine(world_));
    if (world_.settings.storage.kind != "local") group_.spawn("mount", keep_mount(world_));
    group_.spawn("lease", keep_lease(world_));
    group_.spawn("guard", guard_.run());
    group_.spawn("migration", keep_migration_watch(world_));
    group_.spawn("commands", keep_commands(world_));
    group_.spawn("director", world_.chief.run());
    group_.spawn("aside", world_.aside.run());
    group_.spawn("rehearsals", sweep_once(world_));
    group_.spawn("starting", keep_starting(world_));
    group_.spawn("systemd", tell_systemd(world_));
    group_.spawn("ledger copy", keep_local_copy(world_));
    if (claim_) group_.spawn("claim", claim_->answer(world_.settings.listen.control));
    if (options_.with_health) group_.spawn("difyd-health", keep_health_child(health_argv()));
    ::sd_notify(0, "READY=1");
    log::info("serve", "ready",
              {{"socket", world_.settings.listen.control}, {"project", world_.settings.project}});
    co_await wait_for_signal();
    co_await end();
  }

 private:
  // A loop of the supervisor that ends by itself ends the process: systemd starts it again,
  // and the journal makes that safe.
  task_group::failure_handler on_failure() {
    return [](const std::string& child, const std::string& what) {
      log::error("serve", "a loop ended by an exception", {{"loop", child}, {"what", what}});
      ::_exit(70);
    };
  }

  std::vector<std::string> health_argv() const;

  task<void> wait_for_signal() {
    asio::signal_set signals(loop_, SIGTERM, SIGINT);
    const int number = co_await signals.async_wait(asio::use_awaitable);
    log::info("serve", "ending", {{"signal", std::to_string(number)}});
  }

  task<void> end() {
    ::sd_notify(0, "STOPPING=1");
    server_.stop();
    co_await world_.chief.stop();
    co_await world_.aside.stop();
    // Who stopped Dify and then the daemon may want the port.
    if (world_.stands.get()->at == phase::stopped) {
      world_.page.set(std::nullopt);
      publish_now(world_);
    }
    const bool stopping = co_await system_is_stopping();
    if (stopping) co_await stop_stack(world_);
    if (world_.lease && stopping) (void)co_await world_.lease->release(false);
    group_.cancel();
    co_await group_.join();
    co_await server_.join(1s);
    loop_.stop();
  }

  asio::io_context& loop_;
  const serve_options options_;
  world world_;
  http::server server_;
  std::optional<control::claim> claim_;
  task_group group_;
  watcher watcher_;
  guard guard_;
};

std::vector<std::string> daemon_process::health_argv() const {
  char self[4096];
  const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
  std::string program(self, length > 0 ? static_cast<std::size_t>(length) : 0);
  program.replace(program.rfind('/') + 1, std::string::npos, "difyd-health");
  return {program,
          "--listen",
          world_.settings.listen.health,
          "--verdict",
          world_.settings.runtime_dir + "/verdict.json",
          "--end-with",
          std::to_string(::getpid())};
}

Result<config::settings> load(const std::string& path) { return config::load(path, config::this_process()); }

}  // namespace

int serve(const serve_options& options) {
  auto read = read_configuration(options.config);
  if (!read) return complain(read.error());
  auto* settings = &read->settings;
  log::start(level_of(settings->log_level));
  if (read->invalid)
    log::error("serve", "the configuration is not valid: the last good one is used and nothing is started",
               {{"cause", read->invalid->message}});
  auto engine_at = engine_endpoint(*settings);
  if (!engine_at) return complain(engine_at.error());
  for (const auto& folder : {settings->state_dir, settings->runtime_dir})
    if (auto made = make_folder(folder, 0755); !made) return complain(made.error());
  asio::io_context loop(1);
  // Never destroyed: a call inside a library that does not return must not hold the end back.
  auto* daemon = new daemon_process(loop, std::move(*read), std::move(*engine_at), options);
  if (auto listening = daemon->listen(); !listening) return complain(listening.error());
  asio::co_spawn(loop, daemon->run(), [](const std::exception_ptr& failure) {
    if (!failure) return;
    log::error("serve", "ended by an exception");
    ::_exit(70);
  });
  loop.run();
  std::fflush(nullptr);
  ::_exit(0);
}

int check(const std::string& path, bool json) {
  auto settings = load(path);
  if (!settings) return complain(settings.error());
  log::start(log::level::error);
  auto engine_at = engine_endpoint(*settings);
  if (!engine_at) return complain(engine_at.error());
  asio::io_context loop(1);
  auto* all = new world(loop.get_executor(), std::move(*settings), std::move(*engine_at));
  int code = 2;
  asio::co_spawn(
      loop,
      [](world& w, bool as_json, int& result) -> task<void> {
        (void)co_await look(w);
        co_await learn(w);
        remember_maintenance(w);
        stand_as_known(w);
        const auto findings = co_await probe_everything(w);
        const auto text = as_json ? health::render_json(findings)
                                  : health::render_text(findings, ::isatty(STDOUT_FILENO) == 1);
        std::fputs(text.c_str(), stdout);
        std::fflush(stdout);
        result = health::exit_code(findings);
      }(*all, json, code),
      asio::bind_executor(loop, [](const std::exception_ptr& failure) {
        if (failure) ::_exit(70);
        // As in serve: nothing that hangs in a library holds the end back.
      }));
  loop.run();
  ::_exit(code);
}

}  // namespace difyd::supervisor
