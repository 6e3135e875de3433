#include "difyd/release/advisories.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"

namespace difyd::release {
namespace {

bool holds(const version_range::bound& bound, const difyd::version& which) {
  if (bound.sign == "<") return which < bound.limit;
  if (bound.sign == "<=") return which <= bound.limit;
  if (bound.sign == ">") return which > bound.limit;
  return which >= bound.limit;
}

bool holds(const environment_condition& when, const text_map& published, const text_map& values) {
  const auto find = [&](const text_map& map) {
    const auto found = map.find(when.key);
    return found == map.end() ? std::string() : found->second;
  };
  const auto value = find(values);
  return when.value ? value == *when.value : !value.empty() && value != find(published);
}

advisory about_unknown(const advisory_book& book, const difyd::version& to) {
  advisory made;
  made.id = unknown_release;
  made.kind = advisory_kind::manual;
  made.text = "Nothing is known here about " + to.text() + ": advisories.yaml ends at " +
              book.newest_known.text() + ". Read the release notes of every release after that, or get " +
              "a newer advisories.yaml";
  return made;
}

}  // namespace

std::string_view to_text(advisory_kind kind) {
  switch (kind) {
    case advisory_kind::stop:
      return "stop";
    case advisory_kind::before:
      return "before";
    case advisory_kind::after:
      return "after";
    case advisory_kind::value:
      return "value";
    case advisory_kind::manual:
      return "manual";
    case advisory_kind::note:
      break;
  }
  return "note";
}

bool version_range::holds(const difyd::version& which) const {
  return std::ranges::all_of(bounds, [&](const bound& each) { return release::holds(each, which); });
}

std::vector<advisory> advisories_for(const advisory_book& book, const difyd::version& from,
                                     const difyd::version& to) {
  std::vector<advisory> applying;
  if (to <= from) return applying;
  if (to > book.newest_known) applying.push_back(about_unknown(book, to));
  for (const auto kind : advisory_kinds)
    for (const auto& each : book.advisories)
      if (each.kind == kind && each.from.holds(from) && each.to.holds(to)) applying.push_back(each);
  return applying;
}

std::vector<advisory> concerning(std::vector<advisory> advisories, const text_map& published,
                                 const text_map& values) {
  std::erase_if(advisories,
                [&](const advisory& each) { return each.when && !holds(*each.when, published, values); });
  return advisories;
}

bool must_be_acknowledged(const advisory& what) { return what.kind != advisory_kind::note; }

Result<> refuse_unless_acknowledged(const std::vector<advisory>& applying,
                                    const std::set<std::string>& acknowledged, const difyd::version& to) {
  std::vector<std::string> missing;
  std::string command = "difyd upgrade " + to.text();
  for (const auto& each : applying) {
    if (!must_be_acknowledged(each)) continue;
    command += " --acknowledge " + each.id;
    if (!acknowledged.contains(each.id)) missing.push_back(each.id);
  }
  if (missing.empty()) return {};
  return fail("advisories", "cannot upgrade to " + to.text() + ": not acknowledged: " + join(missing, ", "),
              "Read what they say and do it: difyd plan " + to.text() + ". Then: " + command);
}

Result<std::vector<std::string>> beside_the_hop(const advisory_book& book,
                                                const std::vector<advisory>& applying,
                                                const std::set<std::string>& acknowledged,
                                                const difyd::version& to) {
  const auto ids_of = [](const std::vector<advisory>& all) {
    std::vector<std::string> ids;
    for (const auto& each : all) ids.push_back(each.id);
    return ids;
  };
  const auto has = [](const std::vector<std::string>& ids, const std::string& id) {
    return std::ranges::find(ids, id) != ids.end();
  };
  const auto here = ids_of(applying), known = ids_of(book.advisories);
  std::vector<std::string> beside;
  for (const auto& id : acknowledged) {
    if (has(here, id)) continue;
    if (id != unknown_release && !has(known, id)) {
      const std::string guess = closest(id, here.empty() ? known : here);
      return fail("no-such-advisory", "cannot upgrade to " + to.text() + ": there is no advisory " + id,
                  (guess.empty() ? "" : "Did you mean " + guess + "? ") +
                      (here.empty() ? "No advisory applies: leave --acknowledge out"
                                    : "Those that apply: " + join(here, ", ")));
    }
    beside.push_back(id);
  }
  return beside;
}

}  // namespace difyd::release
