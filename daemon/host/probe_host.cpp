#include "difyd/base/task_group.hpp"
#include "difyd/host/probes.hpp"

namespace difyd::host {
namespace {

// A mount that is not the right one is not touched: writing a probe file into the boot disk
// below it would say "writable" about the wrong thing.
task<std::vector<finding>> probe_storage(share storage, storage_expectation expected) {
  std::vector<finding> found;
  const auto mounts = read_mounts();
  if (mounts) found.push_back(judge_mount(expected, *mounts));
  if (!found.empty() && found.back().level >= severity::error) co_return found;
  const auto state = co_await storage.probe(expected.uid);
  found.push_back(judge_share(expected, state));
  co_return found;
}

}  // namespace

task<std::vector<finding>> probe_host(share storage, storage_expectation expected, std::string data_root) {
  auto found = co_await probe_storage(std::move(storage), std::move(expected));
  found.push_back(judge_disk("boot", true, measure_disk("/")));
  if (!data_root.empty()) found.push_back(judge_disk("engine", false, measure_disk(data_root)));
  found.push_back(judge_memory(measure_memory()));
  co_return found;
}

}  // namespace difyd::host
