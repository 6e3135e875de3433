#include "difyd/health/replacement_book.hpp"

#include <algorithm>

namespace difyd::health {
namespace {

constexpr const char* folder = ".difyd/replacements";
constexpr const char* topic = "replacement";
constexpr std::size_t most_read = 64;  // newest ones: a repair loop makes one a day

using known = Result<std::vector<replacement>>;

known parse_all(const std::vector<std::string>& texts) {
  std::vector<replacement> all;
  for (const auto& text : texts) {
    auto one = parse_replacement(text);
    if (!one) return std::unexpected(one.error());
    all.push_back(std::move(*one));
  }
  return all;
}

std::string path_of(const std::string& name) { return std::string(folder) + "/" + name; }

task<known> read_share(std::optional<host::share> share) {
  if (!share) co_return fail("share-away", "the storage is away");
  auto names = co_await share->list(folder);
  if (!names && names.error().code == "file-missing") co_return std::vector<replacement>{};
  if (!names) co_return std::unexpected(names.error());
  std::erase_if(*names, [](const auto& name) { return !name.ends_with(".json"); });
  if (names->size() > most_read) names->erase(names->begin(), names->end() - most_read);
  std::vector<std::string> texts;
  for (const auto& name : *names) {
    const auto text = co_await share->read(path_of(name), 4096);
    if (!text) co_return std::unexpected(text.error());
    texts.push_back(*text);
  }
  co_return parse_all(texts);
}

// The role may lack a database of its own; then schema difyd of the main one is used (lease.hpp).
task<known> read_database(replacement_places where) {
  if (!where.database) co_return fail("database-not-up", "no connection to the database");
  auto lines = co_await where.database->notes(where.own_database, topic);
  if (!lines && lines.error().code == "database-missing")
    lines = co_await where.database->notes(where.main_database, topic);
  if (!lines) co_return std::unexpected(lines.error());
  co_return parse_all(*lines);
}

task<Result<>> write_share(std::optional<host::share> share, replacement asked) {
  if (!share) co_return fail("share-away", "the storage is away");
  co_return co_await share->write(path_of(file_name(asked)), to_json(asked), 0600);
}

task<Result<>> write_database(replacement_places where, replacement asked) {
  if (!where.database) co_return fail("database-not-up", "no connection to the database");
  auto written = co_await where.database->add_note(where.own_database, topic, to_json(asked));
  if (!written && written.error().code == "database-missing")
    written = co_await where.database->add_note(where.main_database, topic, to_json(asked));
  co_return written;
}

std::vector<replacement> lacking(const std::vector<replacement>& all, const std::vector<replacement>& one) {
  std::vector<replacement> result;
  std::ranges::copy_if(all, std::back_inserter(result), [&](const auto& each) {
    return std::ranges::none_of(one, [&](const auto& other) { return to_json(other) == to_json(each); });
  });
  return result;
}

// What cannot be copied now is copied the next time.
task<void> copy(replacement_places where, std::vector<replacement> all, known share, known database) {
  if (share)
    for (const auto& each : lacking(all, *share)) (void)co_await write_share(where.share, each);
  if (database)
    for (const auto& each : lacking(all, *database)) (void)co_await write_database(where, each);
}

}  // namespace

task<known> read_replacements(replacement_places where, policy rules, wall_time now) {
  const auto share = co_await read_share(where.share);
  const auto database = co_await read_database(where);
  if (!share && !database)
    co_return fail("replacements-unknown", "cannot read which replacements were asked for: " +
                                               share.error().message + "; " + database.error().message);
  auto all =
      merged(share.value_or(std::vector<replacement>{}), database.value_or(std::vector<replacement>{}));
  const bool old = std::erase_if(all, [&](const auto& each) { return outdated(each, rules, now); }) > 0;
  co_await copy(where, all, share, database);
  if (old && share)
    for (const auto& each : *share)
      if (outdated(each, rules, now)) (void)co_await where.share->remove(path_of(file_name(each)));
  co_return all;
}

task<Result<>> write_replacement(replacement_places where, replacement asked) {
  const auto share = co_await write_share(where.share, asked);
  const auto database = co_await write_database(where, asked);
  if (share || database) co_return Result<>{};
  co_return fail("replacement-not-written", "cannot write down that a new machine is asked for: " +
                                                share.error().message + "; " + database.error().message);
}

}  // namespace difyd::health
