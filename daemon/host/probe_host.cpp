#include "difyd/host/metadata.hpp"
#include "difyd/host/probes.hpp"

namespace difyd::host {

std::vector<finding> probe_machine(const std::string& data_root) {
  std::vector<finding> found{judge_disk("boot", true, measure_disk("/"))};
  if (!data_root.empty()) found.push_back(judge_disk("engine", false, measure_disk(data_root)));
  found.push_back(judge_memory(measure_memory()));
  return found;
}

task<std::vector<finding>> probe_host(share storage, storage_expectation expected, std::string data_root) {
  auto found = co_await probe_storage(std::move(storage), std::move(expected));
  for (auto& each : probe_machine(data_root)) found.push_back(std::move(each));
  co_return found;
}

task<std::vector<finding>> probe_metadata() {
  const auto asked = co_await read_instance_metadata();
  if (!asked)
    co_return std::vector<finding>{{"metadata",
                                    "metadata-away",
                                    severity::warning,
                                    asked.error().message,
                                    "Without it difyd learns of no wanted version and gets no token: see "
                                    "systemctl status google-guest-agent, and the route to 169.254.169.254",
                                    false,
                                    {}}};
  if (!*asked) co_return std::vector<finding>{};
  co_return std::vector<finding>{
      {"metadata", "metadata-ok", severity::ok, "this is instance " + (*asked)->instance_id, {}, false, {}}};
}

}  // namespace difyd::host
