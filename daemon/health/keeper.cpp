#include "difyd/health/keeper.hpp"

#include <algorithm>

namespace difyd::health {

std::vector<finding> keep_since(const std::vector<finding>& previous, std::vector<finding> fresh,
                                wall_time now) {
  for (auto& each : fresh) {
    const auto old = std::find_if(previous.begin(), previous.end(), [&](const finding& other) {
      return other.subject == each.subject && other.code == each.code;
    });
    each.since = old == previous.end() || old->since == wall_time{} ? now : old->since;
  }
  return fresh;
}

std::vector<finding> replace_subjects(std::vector<finding> all, std::vector<finding> fresh, wall_time now) {
  fresh = keep_since(all, std::move(fresh), now);
  std::erase_if(all, [&](const finding& old) {
    return std::any_of(fresh.begin(), fresh.end(),
                       [&](const finding& each) { return each.subject == old.subject; });
  });
  all.insert(all.end(), std::make_move_iterator(fresh.begin()), std::make_move_iterator(fresh.end()));
  return all;
}

}  // namespace difyd::health
