#include "difyd/base/text.hpp"
#include "difyd/host/probes.hpp"

namespace difyd::host {
namespace {

// Below these a stack like Dify's stops within hours (low) or at once (full).
constexpr double low_percent = 10;
constexpr double full_percent = 1;
constexpr std::uint64_t full_bytes = 256u << 20;

finding make(std::string subject, std::string code, severity level, std::string detail,
             std::string remedy = {}, bool new_vm_helps = false) {
  return {std::move(subject), std::move(code), level, std::move(detail), std::move(remedy), new_vm_helps, {}};
}

std::string percent_text(double value) {
  return value < 10 ? std::to_string(value).substr(0, 3) + " %"
                    : std::to_string(static_cast<int>(value)) + " %";
}

struct named_disk {
  std::string subject;
  bool boot;
  const disk_usage& usage;

  finding ok() const {
    return make(subject, "disk-ok", severity::ok,
                usage.path + ": " + bytes_text(usage.bytes_free) + " free (" +
                    percent_text(usage.bytes_free_percent()) + ")");
  }
  finding critical(const std::string& what, std::string detail, std::string remedy) const {
    return make(subject, (boot ? "boot-" : "") + what, severity::critical, std::move(detail),
                std::move(remedy), boot);
  }
  finding warning(std::string code, std::string detail) const {
    return make(subject, std::move(code), severity::warning, std::move(detail),
                "Free space, for instance unused images: docker image prune; or enlarge the disk");
  }
};

}  // namespace

finding judge_disk(const std::string& name, bool boot_disk, const Result<disk_usage>& usage) {
  const std::string subject = "disk." + name;
  if (!usage)
    return make(subject, "disk-unknown", severity::warning, usage.error().message, usage.error().remedy);
  const named_disk disk{subject, boot_disk, *usage};
  if (usage->read_only)
    return disk.critical("disk-read-only", usage->path + " is read-only",
                         "Look for disk errors (journalctl -k) and remount it read-write");
  if (usage->bytes_free_percent() < full_percent && usage->bytes_free < full_bytes)
    return disk.critical("disk-full", usage->path + " is full: " + bytes_text(usage->bytes_free) + " free",
                         "Free space, for instance unused images: docker image prune; or enlarge the disk");
  if (usage->files_free_percent() < full_percent)
    return disk.critical("inodes-full", usage->path + " has no inodes left",
                         "Delete files that are not needed");
  if (usage->bytes_free_percent() < low_percent)
    return disk.warning("disk-low", usage->path + ": only " + bytes_text(usage->bytes_free) + " free (" +
                                        percent_text(usage->bytes_free_percent()) + ")");
  if (usage->files_free_percent() < low_percent)
    return disk.warning("inodes-low", usage->path + ": only " + percent_text(usage->files_free_percent()) +
                                          " of the inodes free");
  return disk.ok();
}

finding judge_memory(const Result<memory_state>& memory) {
  if (!memory) return make("memory", "memory-unknown", severity::warning, memory.error().message);
  const auto text = bytes_text(memory->available) + " of " + bytes_text(memory->total) + " available";
  const char* remedy = "Give the machine more memory, or run fewer workers (docker stats shows who uses it)";
  if (memory->stalled_percent >= 20)
    return make("memory", "memory-stalled", severity::warning,
                "work stands still for want of memory " + percent_text(memory->stalled_percent) +
                    " of the time, " + text,
                remedy);
  if (memory->total > 0 && memory->available < memory->total / 20)
    return make("memory", "memory-low", severity::warning, "only " + text, remedy);
  return make("memory", "memory-ok", severity::ok, text);
}

}  // namespace difyd::host
