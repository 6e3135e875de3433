#include "difyd/base/tree.hpp"

#include <charconv>

#include "difyd/base/text.hpp"

namespace difyd {
namespace {

// Each file: mode (octal), size, path, line break, the bytes.
Result<> check_path(const std::string& path) {
  bool good = !path.empty() && path.front() != '/' && path.find('\n') == std::string::npos;
  for (const auto& part : split(path, '/')) good = good && !part.empty() && part != "." && part != "..";
  if (good) return {};
  return fail("bad-path", "cannot use \"" + path + "\" as the path of a file in a folder");
}

bool take(std::string_view& text, std::size_t& value, int base) {
  const auto end = text.find(' ');
  if (end == std::string_view::npos) return false;
  const auto read = std::from_chars(text.data(), text.data() + end, value, base);
  if (read.ec != std::errc{} || read.ptr != text.data() + end) return false;
  text.remove_prefix(end + 1);
  return true;
}

std::string octal(unsigned mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%o", mode);
  return text;
}

}  // namespace

Result<std::string> pack(const std::vector<tree_file>& files) {
  std::string bytes;
  for (const auto& file : files) {
    if (auto good = check_path(file.path); !good) return std::unexpected(good.error());
    bytes += octal(file.mode) + " " + std::to_string(file.bytes.size()) + " " + file.path + "\n" + file.bytes;
    if (bytes.size() > largest_tree)
      return fail("file-too-large", "cannot keep a folder of more than " + bytes_text(largest_tree));
  }
  return bytes;
}

Result<std::vector<tree_file>> unpack(std::string_view bytes) {
  std::vector<tree_file> files;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    auto head = bytes.substr(0, end);
    std::size_t mode = 0, size = 0;
    if (end == std::string_view::npos || !take(head, mode, 8) || !take(head, size, 10) || mode > 07777 ||
        size > bytes.size() - end - 1)
      return fail("share-io", "cannot read a folder's files: the stream is cut off");
    tree_file file{std::string(head), static_cast<unsigned>(mode), std::string(bytes.substr(end + 1, size))};
    if (auto good = check_path(file.path); !good) return std::unexpected(good.error());
    files.push_back(std::move(file));
    bytes.remove_prefix(end + 1 + size);
  }
  return files;
}

}  // namespace difyd
