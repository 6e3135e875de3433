#include "difyd/host/mounts.hpp"

#include <algorithm>
#include <charconv>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"

namespace difyd::host {
namespace {

bool octal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes blank, tab, newline and backslash as \040 \011 \012 \134.
std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
                        octal(text[i + 3]);
    if (escape) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

bool parse_number(const std::string& text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

// id parent major:minor root point options [optional fields…] - fstype source super-options
bool parse_line(std::string_view line, mount& out) {
  const auto fields = split(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 4) return false;
  if (!parse_number(fields[0], out.id) || !parse_number(fields[1], out.parent)) return false;
  out.device = fields[2];
  out.root = unescape(fields[3]);
  out.point = unescape(fields[4]);
  out.options = fields[5];
  out.fstype = unescape(dash[1]);
  out.source = unescape(dash[2]);
  out.super_options = unescape(dash[3]);
  return true;
}

std::string_view without_trailing_slash(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

bool lies_in(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool listed(const std::string& options, std::string_view name) {
  const auto names = split(options, ',');
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool mount::has_option(std::string_view name) const {
  return listed(options, name) || listed(super_options, name);
}

bool mount::read_only() const { return has_option("ro"); }

std::vector<mount> parse_mountinfo(std::string_view text) {
  std::vector<mount> result;
  for (const auto& line : split(text, '\n')) {
    mount parsed;
    if (parse_line(line, parsed)) result.push_back(std::move(parsed));
  }
  return result;
}

const mount* find_mount(const std::vector<mount>& mounts, std::string_view path) {
  path = without_trailing_slash(path);
  const auto found =
      std::find_if(mounts.rbegin(), mounts.rend(), [path](const mount& each) { return each.point == path; });
  return found == mounts.rend() ? nullptr : &*found;
}

const mount* mount_holding(const std::vector<mount>& mounts, std::string_view path) {
  path = without_trailing_slash(path);
  const mount* best = nullptr;
  for (const auto& each : mounts)
    if (lies_in(path, each.point) && (!best || each.point.size() >= best->point.size())) best = &each;
  return best;
}

Result<std::vector<mount>> read_mounts(const std::string& table) {
  auto text = read_file(table);
  if (!text) return std::unexpected(std::move(text.error()));
  return parse_mountinfo(*text);
}

}  // namespace difyd::host
