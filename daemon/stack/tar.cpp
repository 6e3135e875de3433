// Archives in the ustar format (POSIX.1-1988), of what is in memory.
#include "difyd/stack/tar.hpp"

#include <cstdio>
#include <cstring>

namespace difyd::stack {
namespace {

constexpr std::size_t block = 512;

// Offsets and lengths of the header's fields.
struct field {
  std::size_t offset, length;
};
constexpr field name_field{0, 100}, mode_field{100, 8}, uid_field{108, 8}, gid_field{116, 8},
    size_field{124, 12}, time_field{136, 12}, sum_field{148, 8}, type_field{156, 1}, magic_field{257, 8},
    prefix_field{345, 155};

void put_octal(std::string& header, field f, std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*llo", static_cast<int>(f.length - 1),
                static_cast<unsigned long long>(value));
  std::memcpy(header.data() + f.offset, text, f.length - 1);
}

void put_text(std::string& header, field f, std::string_view text) {
  std::memcpy(header.data() + f.offset, text.data(), std::min(text.size(), f.length));
}

// Splits a long path at a slash into the prefix and name fields.
bool put_path(std::string& header, const std::string& path) {
  if (path.size() <= name_field.length) {
    put_text(header, name_field, path);
    return true;
  }
  const auto slash = path.rfind('/', prefix_field.length);
  if (slash == std::string::npos || path.size() - slash - 1 > name_field.length) return false;
  put_text(header, prefix_field, std::string_view(path).substr(0, slash));
  put_text(header, name_field, std::string_view(path).substr(slash + 1));
  return true;
}

// Header and content, padded to whole blocks.
Result<std::string> entry_of(const inline_file& file, std::int64_t time) {
  std::string header(block, '\0');
  if (file.path.find_first_not_of('/') == std::string::npos || !put_path(header, file.path))
    return fail("unsupported", "cannot put " + file.path + " into an archive: the path is empty or too long");
  put_octal(header, mode_field, static_cast<std::uint64_t>(file.mode));
  put_octal(header, uid_field, static_cast<std::uint64_t>(file.uid));
  put_octal(header, gid_field, static_cast<std::uint64_t>(file.gid));
  put_octal(header, size_field, file.content.size());
  put_octal(header, time_field, static_cast<std::uint64_t>(time));
  put_text(header, type_field, "0");
  put_text(header, magic_field, std::string_view("ustar\00000", 8));
  put_text(header, sum_field, "        ");
  unsigned sum = 0;
  for (const unsigned char byte : header) sum += byte;
  put_octal(header, {sum_field.offset, 7}, sum);
  header[sum_field.offset + 6] = '\0';
  header += file.content;
  header.append((block - file.content.size() % block) % block, '\0');
  return header;
}

}  // namespace

Result<std::string> tar_of(const inline_file& file) { return tar_of(std::vector{file}, 0); }

Result<std::string> tar_of(const std::vector<inline_file>& files, std::int64_t time) {
  std::string tar;
  for (const auto& file : files) {
    const auto entry = entry_of(file, time);
    if (!entry) return entry;
    tar += *entry;
  }
  tar.append(2 * block, '\0');
  return tar;
}

}  // namespace difyd::stack
