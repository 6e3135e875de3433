// Limits of memory, CPU, block I/O and processes, GPUs included.
#include "create_parts.hpp"

namespace difyd::stack {
namespace {

// As docker compose computes it: float32 * 1e9, truncated.
std::int64_t nano_cpus(float cpus) { return static_cast<std::int64_t>(cpus * 1e9F); }

json device_requests(const std::vector<compose::device_request>& wanted, bool gpu, bool with_options) {
  json requests = json::array();
  for (const auto& each : wanted) {
    json request = json::object();
    auto capabilities = each.capabilities;
    if (gpu) capabilities.push_back("gpu");
    request["Capabilities"] = json::array({capabilities});
    put(request, "Driver", each.driver);
    // compose-go leaves 0 where neither count nor ids are given: all of them.
    put(request, "Count", each.count == 0 && each.device_ids.empty() ? std::int64_t{-1} : each.count);
    put(request, "DeviceIDs", each.device_ids);
    if (with_options) put(request, "Options", each.options);
    requests.push_back(std::move(request));
  }
  return requests;
}

void put_deploy(json& host, const compose::deploy_config& deploy, const dialect& d) {
  json requests = json::array();
  if (const auto& limits = deploy.resources.limits) {
    put(host, "Memory", limits->memory);
    if (limits->cpus != 0) host["NanoCpus"] = nano_cpus(limits->cpus);
    if (limits->pids > 0) host["PidsLimit"] = limits->pids;
  }
  if (const auto& reserved = deploy.resources.reservations) {
    put(host, "MemoryReservation", reserved->memory);
    for (auto& request : device_requests(reserved->devices, false, d.device_options))
      requests.push_back(std::move(request));
  }
  put(host, "DeviceRequests", requests);
}

json throttles(const std::vector<compose::throttle_device>& devices) {
  json list = json::array();
  for (const auto& device : devices) list.push_back({{"Path", device.path}, {"Rate", device.rate}});
  return list;
}

void put_blkio(json& host, const struct compose::blkio_config& blkio) {
  put(host, "BlkioWeight", blkio.weight);
  json weights = json::array();
  for (const auto& device : blkio.weight_device)
    weights.push_back({{"Path", device.path}, {"Weight", device.weight}});
  put(host, "BlkioWeightDevice", weights);
  put(host, "BlkioDeviceReadBps", throttles(blkio.device_read_bps));
  put(host, "BlkioDeviceReadIOps", throttles(blkio.device_read_iops));
  put(host, "BlkioDeviceWriteBps", throttles(blkio.device_write_bps));
  put(host, "BlkioDeviceWriteIOps", throttles(blkio.device_write_iops));
}

json ulimits_of(const compose::service& s) {
  json list = json::array();
  for (const auto& [name, limit] : s.ulimits)
    list.push_back({{"Name", name},
                    {"Soft", limit.single != 0 ? limit.single : limit.soft},
                    {"Hard", limit.single != 0 ? limit.single : limit.hard}});
  return list;
}

json request_of_names(const compose::service& s) {
  json names = json::array();
  for (const auto& device : s.devices)
    if (is_device_name(device)) names.push_back(device.source);
  return names;
}

}  // namespace

bool is_device_name(const compose::device_mapping& device) {
  const auto slash = device.source.find('/');
  const auto equals = device.source.find('=');
  return (device.target.empty() || device.target == device.source) && slash != 0 &&
         slash != std::string::npos && equals != std::string::npos && equals > slash + 1 &&
         equals + 1 < device.source.size();
}

void put_resources(json& host, const create_context& c, const compose::service& s) {
  if (s.cpus != 0) host["NanoCpus"] = nano_cpus(s.cpus);
  put(host, "CpuShares", s.cpu_shares);
  put(host, "CpuPeriod", s.cpu_period);
  put(host, "CpuQuota", s.cpu_quota);
  put(host, "CpuCount", s.cpu_count);
  put(host, "CpuPercent", static_cast<std::int64_t>(s.cpu_percent * 100));
  put(host, "CpuRealtimePeriod", s.cpu_rt_period);
  put(host, "CpuRealtimeRuntime", s.cpu_rt_runtime);
  put(host, "CpusetCpus", s.cpuset);
  put(host, "Memory", s.mem_limit);
  put(host, "MemorySwap", s.memswap_limit);
  put(host, "MemoryReservation", s.mem_reservation);
  put(host, "MemorySwappiness", s.mem_swappiness);
  put(host, "PidsLimit", s.pids_limit);
  put(host, "Ulimits", ulimits_of(s));
  host["OomKillDisable"] = s.oom_kill_disable;
  if (s.blkio_config) put_blkio(host, *s.blkio_config);
  put(host, "DeviceCgroupRules", s.device_cgroup_rules);
  if (s.deploy) put_deploy(host, *s.deploy, c.dialect);
  if (const auto names = request_of_names(s); c.dialect.device_names && !names.empty())
    host["DeviceRequests"].push_back({{"Driver", "cdi"}, {"DeviceIDs", names}});
  for (auto& request : device_requests(s.gpus, true, true))
    host["DeviceRequests"].push_back(std::move(request));
}

}  // namespace difyd::stack
