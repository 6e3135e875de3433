#include "mounts.hpp"

#include <algorithm>
#include <array>

namespace difyd::compose {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct short_mount {
  std::string_view source, target, options;
  bool tiny = false;  // one or two characters: an anonymous volume without options
};

// Splits at colons; one letter before a colon is a Windows drive and stays with what follows.
short_mount split(workspace& w, const node& n) {
  const std::string_view spec = n.text;
  const auto wrong = [&](std::string_view why) {
    refuse(w, n.at, "invalid spec: " + std::string(spec) + ": " + std::string(why),
           "A volume is [source:]target[:options]");
  };
  if (spec.empty()) refuse(w, n.at, "invalid empty volume spec", "A volume is [source:]target[:options]");
  if (spec.size() <= 2) return {{}, spec, {}, true};
  short_mount m;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= spec.size(); ++i) {
    const bool end = i == spec.size();
    if (!end && (spec[i] != ':' || (i - from == 1 && is_letter(spec[from])))) continue;
    const std::string_view part = spec.substr(from, i - from);
    from = i + 1;
    if (part.empty()) wrong("empty section between colons");
    if (m.source.empty() && end)
      m.target = part;
    else if (m.source.empty())
      m.source = part;
    else if (m.target.empty())
      m.target = part;
    else if (!end)
      wrong("too many colons");
    else
      m.options = part;
  }
  return m;
}

bool is_path(std::string_view source) {
  if (source.empty()) return false;
  if (source[0] == '.' || source[0] == '/' || source[0] == '~' || source.starts_with("\\\\")) return true;
  return source.size() > 1 && is_letter(source[0]) && source[1] == ':';
}

void add_options(std::string_view options, node& mount, node& bind, node& volume) {
  static constexpr std::array propagations{"rprivate", "private", "rshared", "shared", "rslave", "slave"};
  const place at = mount.at;
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(option.size() + 1, options.size()));
    if (option == "ro") mount.set("read_only", make_boolean(true, at));
    if (option == "rw") mount.erase("read_only");
    if (option == "nocopy") volume.set("nocopy", make_boolean(true, at));
    if (option == "z" || option == "Z") bind.set("selinux", make_text(option, at));
    if (std::ranges::find(propagations, option) != propagations.end())
      bind.set("propagation", make_text(option, at));
  }
}

}  // namespace

node long_mount(workspace& w, const node& n) {
  const short_mount m = split(w, n);
  node mount = make(kind::mapping, n.at);
  mount.set("type", make_text(is_path(m.source) ? "bind" : "volume", n.at));
  if (!m.source.empty()) mount.set("source", make_text(m.source, n.at));
  if (!m.target.empty()) mount.set("target", make_text(w.keep(clean_path(m.target)), n.at));
  node bind = make(kind::mapping, n.at);
  node volume = make(kind::mapping, n.at);
  add_options(m.options, mount, bind, volume);
  if (is_path(m.source)) bind.set("create_host_path", make_boolean(true, n.at));
  if (!bind.fields.empty()) mount.set("bind", std::move(bind));
  if (!volume.fields.empty() || (!is_path(m.source) && !m.tiny)) mount.set("volume", std::move(volume));
  return mount;
}

std::string mount_target(workspace& w, const node& n) { return std::string(split(w, n).target); }

std::string clean_path(std::string_view path) {
  if (path.empty()) return ".";
  const bool rooted = path.front() == '/';
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..")
      parts.pop_back();
    else if (part != ".." || !rooted)
      parts.push_back(part);
  }
  std::string clean = rooted ? "/" : "";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i) clean += '/';
    clean += parts[i];
  }
  return clean.empty() ? "." : clean;
}

std::string join_path(std::string_view base, std::string_view path) {
  return clean_path(std::string(base) + "/" + std::string(path));
}

}  // namespace difyd::compose
