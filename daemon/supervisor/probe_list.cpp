#include "probe_list.hpp"

#include <functional>

#include "difyd/base/text.hpp"
#include "difyd/health/probes.hpp"
#include "difyd/host/probes.hpp"
#include "links.hpp"
#include "probe_database.hpp"
#include "probe_stack.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using findings = std::vector<finding>;

task<findings> storage(world& w) {
  co_return co_await host::probe_storage(w.storage, storage_expectation(w));
}

task<findings> machine(world& w) { co_return host::probe_machine(w.data_root); }

task<findings> clock(world&) { co_return findings{host::judge_clock(host::measure_clock())}; }

task<findings> metadata(world&) { return host::probe_metadata(); }

task<findings> configuration(world& w) {
  if (w.configuration.empty()) co_return findings{};
  std::function<Result<std::vector<std::string>>()> compare = [files = w.configuration] {
    return changed_since(files);
  };
  const auto looked =
      co_await w.files.run<std::vector<std::string>>(std::move(compare), 4s, "read the configuration");
  if (!looked) co_return findings{};  // where it lies hangs, and others tell that
  const auto& changed = *looked;
  if (changed.empty())
    co_return findings{
        {"configuration", "configuration-current", severity::ok, "it is as it was read", {}, false, {}}};
  co_return findings{{"configuration",
                      "configuration-changed",
                      severity::warning,
                      "changed since this daemon read it, and not in force: " + join(changed, ", "),
                      "difyd config check, then: systemctl restart difyd",
                      false,
                      {}}};
}

}  // namespace

const std::vector<probe>& probes() {
  static const std::vector<probe> list{
      {"storage", 3, 60s, true, storage},
      {"machine", 3, 5s, true, machine},
      {"clock", 30, 5s, true, clock},
      {"metadata", 30, 20s, true, metadata},
      {"engine", 1, 20s, true, look_at_engine},
      {"database", 1, 30s, true, look_at_database},
      {"vector", 3, 30s, true, look_at_vector},
      {"redis", 1, 20s, true, look_at_redis},
      {"object-storage", 12, 20s, true, look_at_object_storage},
      {"services", 1, 5s, false, look_at_services},
      {"port", 1, 15s, true, look_at_port},
      {"dify", 6, 20s, true, look_at_dify},
      {"environment", 6, 5s, true, look_at_environment},
      {"configuration", 3, 5s, false, configuration},
  };
  return list;
}

std::vector<std::string> probe_names() {
  std::vector<std::string> names;
  for (const auto& each : probes()) names.push_back(each.name);
  return names;
}

}  // namespace difyd::supervisor
