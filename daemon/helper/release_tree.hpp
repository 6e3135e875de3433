// What may come out of an archive of a Dify release: the plain files below <top>/docker. Pure; it trusts
// no name and makes no link, so that nothing can be written through one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/tree.hpp"

namespace difyd::helper {

struct archive_limits {
  std::size_t entries = 200'000;         // of all kinds
  std::uint64_t bytes = 4ull << 30;      // of all files, unpacked
  std::size_t docker_bytes = 16u << 20;  // of those below docker; the share keeps them with the overlay
  std::size_t docker_files = 10'000;
};

// One entry of an archive as its head has it.
struct entry {
  enum class kind { file, folder, link, hard_link, special };
  std::string name;
  kind is = kind::file;
  unsigned mode = 0;
  std::uint64_t size = 0;
  std::string target{};  // link: as written; hard_link: a name of the archive
};

class release_tree {
 public:
  explicit release_tree(archive_limits limits = {}) : limits_(limits) {}

  // Whether its bytes are wanted. An entry that no release would hold is an error, wherever it is.
  Result<bool> admit(const entry& of);
  // Bytes of the last file that was wanted.
  Result<> add(std::string_view bytes);
  // A link within docker is the file that it leads to.
  Result<std::vector<tree_file>> finish();

 private:
  struct content {
    unsigned mode = 0;
    std::string bytes;
  };
  Result<bool> admit_below(const entry& of, const std::string& path);
  Result<std::string> target_of(const std::string& path, const std::string& target) const;
  Result<> resolve_links();
  Result<> no_file_is_a_folder() const;

  archive_limits limits_;
  std::string top_;
  std::size_t entries_ = 0;
  std::uint64_t bytes_ = 0;
  std::size_t docker_bytes_ = 0;
  std::map<std::string, content> files_;      // by path below docker
  std::map<std::string, std::string> links_;  // to the path that they lead to
  content* current_ = nullptr;
};

}  // namespace difyd::helper
