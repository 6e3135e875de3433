// Which language and form a client prefers.
#include <cstdlib>

#include "difyd/base/text.hpp"
#include "difyd/front/answers.hpp"

namespace difyd::front {
namespace {

// More are not looked at: a header has 8 KiB of room for them.
constexpr std::size_t most_ranges = 32;

struct range {
  std::string name;  // lower case
  double weight = 1;
};

// 0 to 1; what is no number counts as nothing.
double weight_of(std::string_view text) {
  const std::string number(text);
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || !(value >= 0)) return 0;
  return value > 1 ? 1 : value;
}

std::vector<range> ranges_of(std::string_view header) {
  std::vector<range> result;
  for (const auto& item : split(header, ',')) {
    const auto parts = split(item, ';');
    range one{to_lower(trim(parts[0])), 1};
    for (std::size_t i = 1; i < parts.size(); ++i)
      if (const auto parameter = to_lower(trim(parts[i])); parameter.starts_with("q="))
        one.weight = weight_of(std::string_view(parameter).substr(2));
    if (!one.name.empty()) result.push_back(std::move(one));
    if (result.size() == most_ranges) break;
  }
  return result;
}

struct preference {
  double weight = 0;
  int rank = 0;  // how exactly it is named: 4 itself, 3 a variant of it, 2 its family, 1 everything, 0 not
  std::size_t place = most_ranges;
};

int rank_of(const std::string& name, const std::string& wanted, std::string_view family) {
  if (name == wanted) return 4;
  if (name.starts_with(wanted + "-")) return 3;
  if (!family.empty() && name == family) return 2;
  return name == "*" || name == "*/*" ? 1 : 0;
}

// Of the range that names `wanted` most exactly; of several variants ("ja-JP, ja-Hira;q=0.5") the best.
preference preference_of(const std::vector<range>& among, const std::string& wanted,
                         std::string_view family) {
  preference best;
  for (std::size_t i = 0; i < among.size(); ++i) {
    const int rank = rank_of(among[i].name, wanted, family);
    if (rank > best.rank || (rank > 0 && rank == best.rank && among[i].weight > best.weight))
      best = {among[i].weight, rank, i};
  }
  return best;
}

// At the same weight what is named counts more than "*" does, and what is named first.
bool preferred(const preference& one, const preference& other) {
  if (one.weight != other.weight) return one.weight > other.weight;
  const bool named = one.rank > 1, other_named = other.rank > 1;
  return one.weight > 0 && (named != other_named ? named : named && one.place < other.place);
}

}  // namespace

form form_of(std::string_view accept) {
  const auto among = ranges_of(accept);
  return preferred(preference_of(among, "application/json", "application/*"),
                   preference_of(among, "text/html", "text/*"))
             ? form::json
             : form::html;
}

language language_of(std::string_view accept_language) {
  const auto among = ranges_of(accept_language);
  return preferred(preference_of(among, "ja", {}), preference_of(among, "en", {})) ? language::japanese
                                                                                   : language::english;
}

}  // namespace difyd::front
