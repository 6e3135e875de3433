#include "local_copy.hpp"

#include <nlohmann/json.hpp>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "difyd/ledger/format.hpp"
#include "keeping.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

std::string copy_of(const ledger::record& book) {
  return json{{"machine", this_machine()}, {"ledger", json::parse(ledger::to_json(book))}}.dump(2) + "\n";
}

// Whatever cannot be read is no evidence.
std::optional<version> deployed_by(const std::string& copy, const std::string& path) {
  const auto tree = json::parse(copy, nullptr, false);
  if (!tree.is_object() || !tree.contains("ledger") || tree.value("machine", "") != this_machine())
    return std::nullopt;
  const auto book = ledger::parse(tree["ledger"].dump(), path);
  if (!book || !book->deployed) return std::nullopt;
  return book->deployed->version;
}

}  // namespace

bool nothing_known(const ledger::record& book) {
  return !book.deployed && !book.in_flight && book.history.empty();
}

std::string copy_path(const config::settings& settings) { return settings.state_dir + "/ledger-copy.json"; }

task<std::optional<version>> deployed_here_before(world& w) {
  const std::string path = copy_path(w.settings);
  std::function<Result<std::string>()> read = [path] { return read_file(path); };
  const auto copy = co_await w.files.run<std::string>(std::move(read), 10s, "read " + path);
  co_return copy ? deployed_by(*copy, path) : std::nullopt;
}

task<void> keep_local_copy(world& w) {
  lane disk(w.executor, "ledger copy");
  const std::string path = copy_path(w.settings);
  std::uint64_t seen = 0;
  for (;;) {
    co_await pause(1s);
    if (!w.book || w.book->state().version() == seen || nothing_known(w.book->current())) continue;
    seen = w.book->state().version();
    std::function<Result<>()> write = [path, text = copy_of(w.book->current())] {
      return write_durably(path, text, 0600);
    };
    const auto written = co_await disk.run<void>(std::move(write), 30s, "write " + path);
    if (!written)
      log::warning("ledger", "the local copy is not written", {{"cause", written.error().message}});
  }
}

}  // namespace difyd::supervisor
