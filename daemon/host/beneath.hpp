// Files below an open root, and the errors of a share by what causes them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::host {

class file_handle {
 public:
  explicit file_handle(int fd = -1) : fd_(fd) {}
  file_handle(file_handle&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  file_handle(const file_handle&) = delete;
  file_handle& operator=(const file_handle&) = delete;
  file_handle& operator=(file_handle&&) = delete;
  ~file_handle();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

// "cannot <what>: <errno as text>", with code and remedy by errno.
std::unexpected<Error> cannot(const std::string& what);

Result<file_handle> open_root(const std::string& root);
// openat2 that stays below the root (RESOLVE_BENEATH, no magic links). "" is the root itself.
Result<file_handle> open_beneath(const file_handle& root, const std::string& path, int flags,
                                 mode_t mode = 0);
// The folder of `path`, made (0755) with its parents where missing.
Result<file_handle> open_parent(const file_handle& root, const std::string& path);
// The folder of `path`; nullopt where it is not there, so that there is nothing to remove in it.
Result<std::optional<file_handle>> parent_if_there(const file_handle& root, const std::string& path);
// Without "." and "..", sorted.
Result<std::vector<std::string>> names_in(const file_handle& folder, const std::string& what);
std::string last_name(const std::string& path);

Result<std::string> read_all(int fd, std::size_t limit, const std::string& what);

enum class sync_folder { now, later };  // later: by the caller, once for many files
Result<> replace_file(const file_handle& folder, const std::string& name, std::string_view bytes, mode_t mode,
                      sync_folder how = sync_folder::now);

}  // namespace difyd::host
