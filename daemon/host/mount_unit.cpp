#include "difyd/host/mount_unit.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "difyd/base/text.hpp"

namespace difyd::host {
namespace {

constexpr std::string_view filestore_options =
    "hard,timeo=600,retrans=3,rsize=524288,wsize=1048576,proto=tcp,resvport,nosuid,nodev,_netdev,nofail";
constexpr std::string_view disk_options = "nosuid,nodev,nofail";

bool plain(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':' ||
         (c == '.' && !first);
}

// In a unit file % begins a specifier.
std::string for_unit(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '%' ? "%%" : std::string(1, c);
  return result;
}

bool nfs_type(std::string_view fstype) { return fstype == "nfs" || fstype == "nfs4"; }

bool same_type(const mount_wish& wish, std::string_view fstype) {
  return wish.nfs() ? nfs_type(fstype) : fstype == wish.fstype;
}

// /dev does not hang. UUID=… and LABEL=… as mount(8) has them.
std::string device_of(std::string source) {
  if (source.starts_with("UUID=")) source = "/dev/disk/by-uuid/" + source.substr(5);
  if (source.starts_with("LABEL=")) source = "/dev/disk/by-label/" + source.substr(6);
  if (!source.starts_with("/dev/")) return source;
  std::error_code error;
  const auto real = std::filesystem::canonical(source, error);
  return error ? source : real.string();
}

bool same_source(std::string_view a, std::string_view b) {
  return a == b || device_of(std::string(a)) == device_of(std::string(b));
}

std::string unescape(std::string_view text) {  // fstab's \040
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string described(std::string_view fstype, std::string_view source) {
  return std::string(fstype) + " " + std::string(source);
}

std::string wanted_text(const mount_wish& wish) { return described(wish.fstype, wish.source); }

mount_decision refused(std::string code, const mount_wish& wish, const std::string& why, std::string remedy) {
  mount_decision decision;
  decision.act = mount_act::refuse;
  decision.refusal = {std::move(code), "cannot mount " + wanted_text(wish) + " at " + wish.point + ": " + why,
                      std::move(remedy)};
  return decision;
}

const fstab_entry* entry_for(const std::vector<fstab_entry>& fstab, std::string_view point) {
  const auto found =
      std::find_if(fstab.begin(), fstab.end(), [&](const fstab_entry& each) { return each.point == point; });
  return found == fstab.end() ? nullptr : &*found;
}

struct owner {
  bool human = false;
  std::optional<mount_decision> refusal;
};

// Whose the unit is, and whether a human's says the same as the configuration.
owner owner_of(const mount_wish& wish, const mount_facts& facts) {
  if (const auto* entry = entry_for(facts.fstab, wish.point)) {
    if (same_source(entry->source, wish.source) && same_type(wish, entry->fstype)) return {true, {}};
    return {true, refused("mount-unit-foreign", wish,
                          "/etc/fstab has " + described(entry->fstype, entry->source) + " there",
                          "Correct or remove that line of /etc/fstab, then: systemctl daemon-reload; or "
                          "correct storage in difyd's configuration")};
  }
  const auto& unit = facts.unit;
  if (unit.file.empty() || unit.file == mount_unit_file(wish.point)) return {};
  if (unit.load == "masked")
    return {true, refused("mount-unit-foreign", wish, "its unit is masked",
                          "systemctl unmask " + mount_unit_name(wish.point))};
  if (same_source(unit.source, wish.source)) return {true, {}};
  return {true, refused("mount-unit-foreign", wish, unit.file + " mounts " + unit.source + " there",
                        "Correct or remove " + unit.file + ", or correct storage in difyd's configuration")};
}

bool ours(const mount_wish& wish, const mount_facts& facts, const mount& found) {
  const bool unit = facts.unit.file == mount_unit_file(wish.point);
  return unit && facts.written &&
         facts.written->find("\nWhat=" + for_unit(found.source) + "\n") != std::string::npos;
}

}  // namespace

std::string default_mount_options(const mount_wish& wish) {
  return std::string(wish.nfs() ? filestore_options : disk_options);
}

std::string mount_unit_name(std::string_view path) {
  std::string name;
  for (const auto& part : split(path, '/')) {
    if (part.empty()) continue;
    if (!name.empty()) name += '-';
    for (std::size_t i = 0; i < part.size(); ++i) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(part[i]));
      name += plain(part[i], name.empty()) ? std::string(1, part[i]) : std::string(escaped);
    }
  }
  return (name.empty() ? "-" : name) + ".mount";
}

std::string mount_unit_file(std::string_view path) { return "/run/systemd/system/" + mount_unit_name(path); }

std::string mount_unit_text(const mount_wish& wish) {
  const std::string options = wish.options.empty() ? default_mount_options(wish) : wish.options;
  return "# Written by difyd from storage in its configuration: edits are lost. A unit of this name in\n"
         "# /etc/systemd/system, or a line in /etc/fstab, is used instead where it says the same.\n"
         "[Unit]\n"
         "Description=Storage of Dify, mounted by difyd\n"
         "Documentation=man:difyd(8)\n"
         "# At shutdown it goes after the containers, whatever the order of their starts was.\n"
         "Before=docker.service difyd.service\n"
         "\n"
         "[Mount]\n"
         "What=" +
         for_unit(wish.source) +
         "\n"
         "Where=" +
         for_unit(wish.point) +
         "\n"
         "Type=" +
         for_unit(wish.fstype) +
         "\n"
         "Options=" +
         for_unit(options) +
         "\n"
         "# A server that does not answer holds neither a mount nor an unmount up.\n"
         "TimeoutSec=60s\n"
         "LazyUnmount=yes\n";
}

bool is_wanted(const mount_wish& wish, const mount& found) {
  return same_type(wish, found.fstype) && same_source(found.source, wish.source);
}

std::vector<fstab_entry> parse_fstab(std::string_view text) {
  std::vector<fstab_entry> entries;
  for (const auto& line : split(text, '\n')) {
    std::string flat(trim(line));
    std::ranges::replace(flat, '\t', ' ');
    if (flat.empty() || flat[0] == '#') continue;
    auto fields = split(flat, ' ');
    std::erase(fields, "");
    if (fields.size() < 3) continue;
    fields.resize(std::max<std::size_t>(fields.size(), 4));
    std::string point = unescape(fields[1]);
    while (point.size() > 1 && point.back() == '/') point.pop_back();
    entries.push_back({unescape(fields[0]), std::move(point), fields[2], unescape(fields[3])});
  }
  return entries;
}

mount_decision decide_mount(const mount_wish& wish, const mount_facts& facts) {
  const mount* found = find_mount(facts.mounts, wish.point);
  const bool right = found && is_wanted(wish, *found);
  if (right && facts.answers) return {};
  auto whose = owner_of(wish, facts);
  if (whose.refusal) return std::move(*whose.refusal);
  if (found && !right && !ours(wish, facts, *found))
    return refused("mount-foreign", wish, described(found->fstype, found->source) + " is mounted there",
                   "Unmount it (umount " + wish.point + "), or correct storage in difyd's configuration");
  mount_decision decision;
  decision.act = found ? mount_act::restart : mount_act::start;
  decision.write = !whose.human && (facts.written != mount_unit_text(wish) || facts.unit.load != "loaded" ||
                                    facts.unit.file.empty());
  decision.cause = !found  ? "nothing is mounted at " + wish.point
                   : right ? wanted_text(wish) + " at " + wish.point + " does not answer"
                           : wish.point + " holds " + described(found->fstype, found->source) +
                                 ", which the configuration does not name any more";
  return decision;
}

}  // namespace difyd::host
