#include "difyd/host/machine.hpp"

#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "difyd/base/clock.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"

namespace difyd::host {
namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// "MemTotal:       16384 kB"
std::uint64_t kilobytes(std::string_view text, std::string_view key) {
  for (const auto& line : split(text, '\n')) {
    if (!std::string_view(line).starts_with(key)) continue;
    const auto rest = trim(std::string_view(line).substr(key.size()));
    std::uint64_t value = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), value);
    return value * 1024;
  }
  return 0;
}

// "full avg10=0.00 avg60=1.25 avg300=0.00 total=0"
double full_stall(std::string_view pressure) {
  for (const auto& line : split(pressure, '\n')) {
    if (!std::string_view(line).starts_with("full ")) continue;
    const auto at = line.find("avg60=");
    if (at != std::string::npos) return std::strtod(line.c_str() + at + 6, nullptr);
  }
  return 0;
}

std::string first_word(const std::string& path) {
  const auto text = read_file(path, 4096);
  return text ? std::string(trim(*text)) : std::string();
}

}  // namespace

double disk_usage::bytes_free_percent() const { return percent(bytes_free, bytes_total); }
double disk_usage::files_free_percent() const { return percent(files_free, files_total); }

Result<disk_usage> measure_disk(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0)
    return fail("file-io", "cannot measure the disk of " + path + ": " + std::strerror(errno));
  return disk_usage{path,          info.f_blocks * info.f_frsize, info.f_bavail * info.f_frsize, info.f_files,
                    info.f_favail, (info.f_flag & ST_RDONLY) != 0};
}

memory_state parse_memory(std::string_view meminfo, std::string_view pressure) {
  return {kilobytes(meminfo, "MemTotal:"), kilobytes(meminfo, "MemAvailable:"), full_stall(pressure)};
}

Result<memory_state> measure_memory() {
  const auto meminfo = read_file("/proc/meminfo");
  if (!meminfo) return std::unexpected(meminfo.error());
  const auto pressure = read_file("/proc/pressure/memory");  // not on every kernel
  return parse_memory(*meminfo, pressure ? *pressure : std::string());
}

const std::string& machine_identity::unique() const {
  if (!instance_id.empty()) return instance_id;
  return machine_id.empty() ? boot_id : machine_id;
}

machine_identity identify_machine() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return {first_word("/etc/machine-id"), difyd::boot_id(), name, {}};
}

}  // namespace difyd::host
