// The only way in which the loader touches the world.
#pragma once

#include <difyd/base/error.hpp>
#include <string>

namespace difyd::compose {

class reader {
 public:
  reader() = default;
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;
  virtual ~reader() = default;

  // The whole content of a file. Paths are absolute, or "-" for standard input.
  // Errors: code "file-not-found" (nothing there), "file-unreadable" (anything else).
  virtual Result<std::string> read_file(const std::string& path) const = 0;
  virtual bool exists(const std::string& path) const = 0;
};

// Files of this machine. Refuses files larger than 16 MiB and what is not a regular file
// (standard input excepted).
class disk_reader final : public reader {
 public:
  Result<std::string> read_file(const std::string& path) const override;
  bool exists(const std::string& path) const override;
};

}  // namespace difyd::compose
