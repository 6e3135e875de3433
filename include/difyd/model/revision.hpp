// Alembic revisions: what a database has, what an image knows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace difyd {

// The revision id of `alembic_version` or of `flask db heads`; empty for an empty database.
struct revision {
  std::string id;
  bool empty() const { return id.empty(); }
  friend bool operator==(const revision&, const revision&) = default;
};

// First word of the first line that ends in "(head)" or is a bare revision: the output of
// `flask db heads` and `flask db current` (Dify FACTS section c). nullopt where there is
// none or more than one head.
std::optional<revision> parse_revision(std::string_view output);

}  // namespace difyd
