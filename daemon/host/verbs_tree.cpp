#include "verbs_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "beneath.hpp"
#include "difyd/base/text.hpp"
#include "difyd/base/tree.hpp"

namespace difyd::host {
namespace {

using words = std::vector<std::string>;

// Nobody else's: an environment with secrets is in it.
constexpr mode_t folder_mode = 0700;

mode_t kind_of(const file_handle& folder, const std::string& name) {
  struct stat info {};
  return ::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 ? info.st_mode : 0;
}

Result<file_handle> open_folder(const file_handle& in, const std::string& name) {
  file_handle opened(::openat(in.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) return cannot("open " + name);
  return opened;
}

Result<> remove_below(const file_handle& folder, const std::string& name) {
  const mode_t mode = kind_of(folder, name);
  if (mode == 0) return {};
  if (S_ISDIR(mode)) {
    auto inner = open_folder(folder, name);
    if (!inner) return std::unexpected(inner.error());
    const auto names = names_in(*inner, name);
    if (!names) return std::unexpected(names.error());
    for (const auto& each : *names)
      if (auto removed = remove_below(*inner, each); !removed) return removed;
  }
  if (::unlinkat(folder.get(), name.c_str(), S_ISDIR(mode) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
    return cannot("remove " + name);
  return {};
}

// The folder of a file of the tree, with its parents; each that is made is remembered for its fsync.
Result<file_handle> folder_for(const file_handle& tree, const std::string& path,
                               std::set<std::string>& folders) {
  auto parts = split(path, '/');
  parts.pop_back();
  std::string made;
  for (const auto& part : parts) {
    made += made.empty() ? part : "/" + part;
    if (::mkdirat(tree.get(), made.c_str(), folder_mode) != 0 && errno != EEXIST)
      return cannot("make " + made);
    folders.insert(made);
  }
  return open_beneath(tree, made, O_RDONLY | O_DIRECTORY);
}

Result<> write_files(const file_handle& tree, const std::vector<tree_file>& files) {
  std::set<std::string> folders{""};
  for (const auto& file : files) {
    auto folder = folder_for(tree, file.path, folders);
    if (!folder) return std::unexpected(folder.error());
    if (auto written = replace_file(*folder, last_name(file.path), file.bytes, file.mode, sync_folder::later);
        !written)
      return written;
  }
  for (const auto& each : folders) {
    auto folder = open_beneath(tree, each, O_RDONLY | O_DIRECTORY);
    if (!folder) return std::unexpected(folder.error());
    if (::fsync(folder->get()) != 0) return cannot("write " + each);
  }
  return {};
}

Result<> read_below(const file_handle& folder, const std::string& path, std::vector<tree_file>& files) {
  const auto names = names_in(folder, path);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    const mode_t mode = kind_of(folder, name);
    const std::string whole = path.empty() ? name : path + "/" + name;
    if (S_ISDIR(mode)) {
      auto inner = open_folder(folder, name);
      if (!inner) return std::unexpected(inner.error());
      if (auto read = read_below(*inner, whole, files); !read) return read;
    } else if (S_ISREG(mode)) {
      const file_handle file(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
      if (!file) return cannot("open " + whole);
      auto bytes = read_all(file.get(), largest_tree, whole);
      if (!bytes) return std::unexpected(bytes.error());
      files.push_back({whole, mode & 07777u, std::move(*bytes)});
    }
  }
  return {};
}

}  // namespace

Result<std::string> write_tree_verb(const words& arguments, std::string_view input) {
  auto files = unpack(input);
  if (!files) return std::unexpected(files.error());
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  auto parent = open_parent(*root, arguments[1]);
  if (!parent) return std::unexpected(parent.error());
  const std::string name = last_name(arguments[1]), fresh = "." + name + ".new-" + random_hex(8);
  if (::mkdirat(parent->get(), fresh.c_str(), folder_mode) != 0) return cannot("make " + arguments[1]);
  auto tree = open_folder(*parent, fresh);
  if (!tree) return std::unexpected(tree.error());
  auto written = write_files(*tree, *files);
  if (written) written = remove_below(*parent, name);
  if (written && (::renameat(parent->get(), fresh.c_str(), parent->get(), name.c_str()) != 0 ||
                  ::fsync(parent->get()) != 0))
    written = cannot("write " + arguments[1]);
  if (written) return std::string("{}");
  (void)remove_below(*parent, fresh);
  return std::unexpected(written.error());
}

Result<std::string> read_tree_verb(const words& arguments) {
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  auto folder = open_beneath(*root, arguments[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!folder) return std::unexpected(folder.error());
  std::vector<tree_file> files;
  if (auto read = read_below(*folder, "", files); !read) return std::unexpected(read.error());
  return pack(files);
}

Result<> remove_folder(const file_handle& root, const std::string& path) {
  auto folder = parent_if_there(root, path);
  if (!folder) return std::unexpected(folder.error());
  if (!*folder) return {};
  if (auto removed = remove_below(**folder, last_name(path)); !removed) return removed;
  if (::fsync((*folder)->get()) != 0) return cannot("remove " + path);
  return {};
}

Result<std::string> remove_tree_verb(const words& arguments) {
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  if (auto removed = remove_folder(*root, arguments[1]); !removed) return std::unexpected(removed.error());
  return std::string("{}");
}

}  // namespace difyd::host
