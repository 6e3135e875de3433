#include "world.hpp"

#include <unistd.h>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "probe_list.hpp"

namespace difyd::supervisor {
namespace {

host::share_options share_of(const config::settings& settings) {
  host::share_options options;
  options.root = settings.storage.root;
  options.lock_folder = settings.runtime_dir;
  return options;
}

void tell_failure(const std::string& child, const std::string& what) {
  log::error("director", "operation ended by an exception", {{"operation", child}, {"what", what}});
}

std::string marker(const world& w) { return w.settings.state_dir + "/stopped"; }

}  // namespace

world::world(asio::any_io_executor where, config::settings values, http::endpoint engine_at)
    : executor(where),
      settings(std::move(values)),
      engine(where, std::move(engine_at)),
      files(where, "files"),
      chores(where, "chores"),
      storage(share_of(settings)),
      units(where),
      events(where),
      chief(where, tell_failure),
      aside(where, tell_failure),
      board(probe_names()),
      stands(where),
      in_force(where),
      observed(where),
      findings(where),
      given(where),
      replacements(where),
      replacement_wanted(where),
      migrator_seen(where),
      page(where),
      schema(where),
      lease_text(where),
      operation(where),
      backups(where),
      abort_asked(where),
      guarded(where),
      container_started(where),
      looking(where) {}

void stand(world& w, phase at, std::string message, std::vector<std::string> options) {
  const auto before = w.stands.get();
  if (at == phase::serving) w.settled = true;
  if (at == phase::stopped || at == phase::waiting_for_lease || at == phase::holding) w.settled = false;
  if (before->at == at && before->message == message) return;
  const auto now = std::chrono::system_clock::now();
  control::event event;
  event.kind = "phase";
  event.state = to_text(at);
  event.text = message;
  w.stands.set({at, std::move(message), std::move(options), before->at == at ? before->since : now});
  w.events.add(std::move(event));
}

bool fallen(const world& w) { return w.settled && w.stands.get()->at == phase::starting; }

bool stopped_by_operator(const world& w) { return ::access(marker(w).c_str(), F_OK) == 0; }

Result<> set_stopped_by_operator(const world& w, bool stopped) {
  if (stopped) return write_durably(marker(w), "difyd down\n", 0600);
  if (::unlink(marker(w).c_str()) != 0 && errno != ENOENT)
    return fail("file-io", "cannot remove " + marker(w));
  return {};
}

}  // namespace difyd::supervisor
