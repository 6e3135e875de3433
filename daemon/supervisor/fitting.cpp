#include "fitting.hpp"

#include <algorithm>

#include "difyd/release/bundle.hpp"
#include "engine_work.hpp"
#include "image_schema.hpp"
#include "keeping.hpp"

namespace difyd::supervisor {
namespace {

constexpr const char* api_image = "langgenius/dify-api:";

task<bool> is_head(world& w, version which, revision schema) {
  const std::string image = api_image + which.text();
  if (!(co_await w.engine.images.inspect(image))) co_return false;
  const auto head = co_await image_head(w, image);
  co_return head&&* head == schema;
}

// Where the ledger and the share say so themselves.
task<std::vector<version>> recorded(world& w, revision schema) {
  std::vector<version> found;
  const auto& book = w.book->current();
  for (const auto* each : {&book.deployed, &book.previous})
    if (*each && (*each)->revision == schema) found.push_back((*each)->version);
  for (const auto& which : co_await kept_versions(w))
    if (const auto kept = co_await read_kept(w, which); kept && *kept && (*kept)->revision == schema)
      found.push_back(which);
  co_return found;
}

}  // namespace

std::optional<version> running_version(const stack::observed& now) {
  for (const auto& container : now.containers) {
    const auto at = container.image.find(api_image);
    if (at == std::string::npos || container.one_off) continue;
    if (auto found = parse_version(container.image.substr(at + std::string(api_image).size()))) return *found;
  }
  return std::nullopt;
}

task<std::vector<version>> versions_of(world& w, revision schema) {
  (void)co_await look(w);
  std::vector<version> preferred;
  if (const auto now = running_version(*w.observed.get())) preferred.push_back(*now);
  if (w.settings.version) preferred.push_back(*w.settings.version);

  auto found = co_await recorded(w, schema);
  if (found.empty()) {
    auto candidates = release::available(w.settings.releases.source);
    candidates.insert(candidates.end(), preferred.rbegin(), preferred.rend());
    for (auto each = candidates.rbegin(); each != candidates.rend() && found.empty(); ++each)
      if (co_await is_head(w, *each, schema)) found.push_back(*each);
  }
  const auto likely = [&](const version& each) {
    return std::ranges::find(preferred, each) != preferred.end();
  };
  std::ranges::sort(
      found, [&](const version& a, const version& b) { return likely(a) != likely(b) ? likely(a) : a > b; });
  const auto [first, last] = std::ranges::unique(found);
  found.erase(first, last);
  co_return found;
}

}  // namespace difyd::supervisor
