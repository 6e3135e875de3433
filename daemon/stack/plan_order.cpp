// Pulls come first, as with docker compose: what cannot be had is found out before anything is changed.
#include <algorithm>

#include "planner.hpp"

namespace difyd::stack {
namespace {

// What is there already needs no image that is missing: a registry that is away keeps nothing down.
bool waits_for_pulls(op_kind kind) {
  switch (kind) {
    case op_kind::pull_image:
    case op_kind::connect_network:
    case op_kind::rename_container:
    case op_kind::restart_container:
    case op_kind::set_restart_policy:
    case op_kind::start_container:
      return false;
    default:
      return true;
  }
}

bool is_pull(const operation& op) { return op.kind == op_kind::pull_image; }

}  // namespace

void pulls_first(Plan& plan) {
  auto& all = plan.operations;
  std::vector<int> pulls;
  for (const auto& op : all)
    if (is_pull(op)) pulls.push_back(static_cast<int>(pulls.size()) + 1);
  if (pulls.empty()) return;
  std::vector<operation> ordered;
  for (const bool turn : {true, false})
    for (auto& op : all)
      if (is_pull(op) == turn) ordered.push_back(std::move(op));
  all = std::move(ordered);
  std::vector<int> place(all.size() + 1);  // by the former id
  for (std::size_t i = 0; i < all.size(); ++i)
    place[static_cast<std::size_t>(all[i].id)] = static_cast<int>(i) + 1;
  std::set<int> behind;  // what waits for the pulls, itself or through what it comes after
  for (auto& op : all) {
    op.id = place[static_cast<std::size_t>(op.id)];
    for (int& before : op.after) before = place[static_cast<std::size_t>(before)];
    bool waits = std::ranges::any_of(op.after, [&](int before) { return behind.contains(before); });
    if (waits_for_pulls(op.kind)) {
      std::erase_if(op.after, [&](int before) { return before <= pulls.back(); });
      if (!waits) op.after.insert(op.after.begin(), pulls.begin(), pulls.end());
      waits = true;
    }
    if (waits) behind.insert(op.id);
  }
}

}  // namespace difyd::stack
