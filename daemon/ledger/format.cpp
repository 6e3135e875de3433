#include "difyd/ledger/format.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "difyd/base/clock.hpp"
#include "fields.hpp"

namespace difyd::ledger {
namespace {

using json = nlohmann::ordered_json;

// Thrown and caught in this file only.
struct unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <has_fields T>
json write(const T& r);
template <has_fields T>
void read(const json& from, T& r);

json write(const std::string& text) { return text; }
json write(const difyd::version& version) { return version.text(); }
json write(const revision& id) { return id.id; }
json write(wall_time time) { return to_rfc3339(time); }
json write(entry_state state) { return to_text(state); }
json write(ending result) { return to_text(result); }
json write(restore_stage stage) { return to_text(stage); }
json write(int number) { return number; }
json write(bool truth) { return truth; }
json write(const std::map<std::string, std::string>& map) { return json(map); }

template <class T>
json write(const std::optional<T>& value) {
  return value ? write(*value) : json();
}

template <class T>
json write(const std::vector<T>& list) {
  json result = json::array();
  for (const auto& each : list) result.push_back(write(each));
  return result;
}

void read(const json& from, std::string& into) { into = from.get<std::string>(); }
void read(const json& from, int& into) { into = from.get<int>(); }
void read(const json& from, bool& into) { into = from.get<bool>(); }
void read(const json& from, revision& into) { into.id = from.get<std::string>(); }
void read(const json& from, std::map<std::string, std::string>& into) {
  into = from.get<std::map<std::string, std::string>>();
}

void read(const json& from, difyd::version& into) {
  auto parsed = parse_version(from.get<std::string>());
  if (!parsed) throw unreadable(parsed.error().message);
  into = *parsed;
}

void read(const json& from, wall_time& into) {
  const auto time = parse_rfc3339(from.get<std::string>());
  if (!time) throw unreadable("\"" + from.get<std::string>() + "\" is not a time");
  into = *time;
}

template <class Enum, std::size_t N>
void read_word(const json& from, const std::array<Enum, N>& all, Enum& into) {
  const auto word = from.get<std::string>();
  for (const Enum each : all)
    if (to_text(each) == word) {
      into = each;
      return;
    }
  throw unreadable("unknown word \"" + word + "\"");
}

void read(const json& from, entry_state& into) {
  read_word(from, std::array{entry_state::begin, entry_state::done, entry_state::failed}, into);
}

void read(const json& from, ending& into) {
  read_word(from, std::array{ending::done, ending::undone, ending::held}, into);
}

void read(const json& from, restore_stage& into) {
  read_word(from, std::array{restore_stage::loading, restore_stage::swapping, restore_stage::finishing},
            into);
}

template <class T>
void read(const json& from, std::optional<T>& into) {
  if (from.is_null()) return;
  read(from, into.emplace());
}

template <class T>
void read(const json& from, std::vector<T>& into) {
  if (!from.is_array()) throw unreadable("a list is missing");
  for (const auto& each : from) read(each, into.emplace_back());
}

template <has_fields T>
json write(const T& r) {
  json result = json::object();
  fields([&](const char* name, const auto& value) { result[name] = write(value); }, r);
  return result;
}

template <has_fields T>
void read(const json& from, T& r) {
  if (!from.is_object()) throw unreadable("an object is missing");
  fields(
      [&](const char* name, auto& value) {
        const auto each = from.find(name);
        if (each == from.end()) throw unreadable(std::string("\"") + name + "\" is missing");
        try {
          read(*each, value);
        } catch (const std::exception& error) {
          throw unreadable(std::string(name) + ": " + error.what());
        }
      },
      r);
}

std::unexpected<Error> corrupt(const std::string& place, const std::string& cause) {
  return fail(
      "ledger-corrupt", "cannot read the ledger " + place + ": " + cause,
      "It was left as it is. Restore it from a backup of the share, or move it away and run difyd adopt");
}

}  // namespace

std::string to_json(const record& book) {
  json result = {{"format", format_number}, {"written_by", "difyd " DIFYD_VERSION}};
  const json rest = write(book);
  result.update(rest);
  return result.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<record> parse(std::string_view text, const std::string& place) {
  try {
    json tree = json::parse(text);
    if (!tree.is_object() || !tree.contains("format")) return corrupt(place, "it has no format number");
    const int format = tree.at("format").get<int>();
    if (format > format_number)
      return fail("ledger-newer",
                  "cannot read the ledger " + place + ": it has format " + std::to_string(format) +
                      " and this difyd knows up to " + std::to_string(format_number),
                  "Install the difyd that wrote it (" + tree.value("written_by", std::string("unknown")) +
                      ") or a newer one");
    if (format < 2 && tree.contains("in_flight") && tree["in_flight"].is_object())
      tree["in_flight"]["baseline"] = nullptr;
    if (format < 3) tree["restoring"] = nullptr;
    if (format < 4) {
      tree["owed"] = json::array();
      if (tree.contains("in_flight") && tree["in_flight"].is_object())
        tree["in_flight"]["owed"] = json::array();
    }
    record book;
    read(tree, book);
    return book;
  } catch (const std::exception& error) {
    return corrupt(place, error.what());
  }
}

}  // namespace difyd::ledger
