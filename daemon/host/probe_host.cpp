#include "difyd/host/probes.hpp"

namespace difyd::host {

task<std::vector<finding>> probe_host(share storage, storage_expectation expected, std::string data_root) {
  auto found = co_await probe_storage(std::move(storage), std::move(expected));
  found.push_back(judge_disk("boot", true, measure_disk("/")));
  if (!data_root.empty()) found.push_back(judge_disk("engine", false, measure_disk(data_root)));
  found.push_back(judge_memory(measure_memory()));
  co_return found;
}

}  // namespace difyd::host
