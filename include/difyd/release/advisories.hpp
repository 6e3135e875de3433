// Facts about hops between Dify versions that an operator must know before one begins:
// config/advisories.yaml, which says at its head what its words mean.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/model/version.hpp"
#include "difyd/release/environment.hpp"

namespace difyd::release {

enum class advisory_kind { stop, before, after, value, manual, note };

// In the order in which they are told.
inline constexpr std::array advisory_kinds = {advisory_kind::stop,  advisory_kind::before,
                                              advisory_kind::value, advisory_kind::manual,
                                              advisory_kind::after, advisory_kind::note};

std::string_view to_text(advisory_kind kind);

// ">=1.4.0 <1.9.2": a version is within where every comparison holds.
struct version_range {
  struct bound {
    std::string_view sign;  // "<", "<=", ">", ">="
    difyd::version limit;
  };
  std::vector<bound> bounds;

  bool holds(const difyd::version& which) const;
};

// Looks at the environment that the wanted release would run with.
struct environment_condition {
  std::string key;
  std::optional<std::string> value;  // unset: any but what the release publishes
};

struct advisory {
  std::string id;
  advisory_kind kind = advisory_kind::note;
  version_range from;  // applies where the hop begins within `from` and ends within `to`
  version_range to;
  std::optional<environment_condition> when;  // and only there
  std::string text;                           // one or two sentences for an operator
  std::string service;                        // before, after: where the commands run
  std::vector<std::string> commands;          // before, after: one-off jobs, in this order
  std::string key;                            // value: of the environment
  std::string value;                          // value: empty where it is the operator's own
  std::string source;                         // release note or section of the facts
};

struct advisory_book {
  difyd::version newest_known;
  std::vector<advisory> advisories;  // as in the file
  // Keys of .env.example that got another name: old -> new.
  std::map<std::string, std::string, std::less<>> renamed_keys;
};

inline constexpr std::string_view unknown_release = "unknown-release";

// Pure. `path` is for messages. Errors carry file, line and column: "advisories-invalid",
// "advisories-format" (written for a newer difyd).
Result<advisory_book> parse_advisories(const std::string& text, const std::string& path);

// Blocks. Also "advisories-unreadable".
Result<advisory_book> load_advisories(const std::string& path);

// What applies to a hop, by kind and then in the order of the book; before it all, where the book
// does not know a release that new, one of id `unknown_release`. Pure.
std::vector<advisory> advisories_for(const advisory_book& book, const difyd::version& from,
                                     const difyd::version& to);

// Without those whose condition does not hold. `published`: the wanted release's .env.example; `values`:
// what would be in force. Pure.
std::vector<advisory> concerning(std::vector<advisory> advisories, const text_map& published,
                                 const text_map& values);

// Everything but a note.
bool must_be_acknowledged(const advisory& what);

// Error "advisories": names the ids that are missing and the command that gives them. Pure.
Result<> refuse_unless_acknowledged(const std::vector<advisory>& applying,
                                    const std::set<std::string>& acknowledged, const difyd::version& to);

// The acknowledged ids that are of no concern to this hop. Error "no-such-advisory" where the book has none
// of that id either: it names those of the hop. Pure.
Result<std::vector<std::string>> beside_the_hop(const advisory_book& book,
                                                const std::vector<advisory>& applying,
                                                const std::set<std::string>& acknowledged,
                                                const difyd::version& to);

}  // namespace difyd::release
