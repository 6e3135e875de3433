#include "backup_manifest.hpp"

#include <time.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

constexpr int format_number = 1;

using json = nlohmann::ordered_json;

std::optional<wall_time> parse_time(const std::string& text) {
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

// They become words of a script and names of files.
bool plain(const std::string& name) {
  return !name.empty() && name.front() != '-' && name.front() != '.' &&
         std::ranges::none_of(name, [](unsigned char c) { return c <= ' ' || c == '/'; });
}

backup_manifest read(const json& tree) {
  backup_manifest result;
  result.id = tree.at("id");
  const auto time = parse_time(tree.at("time"));
  if (!time) throw std::runtime_error("time: is none");
  result.time = *time;
  result.kind = tree.at("kind");
  const auto version = parse_version(tree.at("version").get<std::string>());
  if (!version) throw std::runtime_error(version.error().message);
  result.version = *version;
  result.revision.id = tree.at("revision");
  result.upgrade = tree.at("upgrade");
  result.writes_stopped = tree.at("writes_stopped");
  result.half_migrated = tree.at("half_migrated");
  result.image = tree.at("image");
  result.databases = tree.at("databases").get<std::vector<std::string>>();
  for (const auto& each : tree.at("files"))
    result.files.push_back({each.at("name"), each.at("bytes"), each.at("sha256")});
  if (const auto runs = tree.find("runs"); runs != tree.end())
    for (const auto& each : *runs)
      result.runs.push_back({each.at("instance"), each.at("id"), each.at("ended")});
  return result;
}

bool leads_back(const backup_manifest& each) {
  return why_not_restorable(each).empty() || (each.kind == "cloudsql" && !each.half_migrated);
}

}  // namespace

std::string dump_file(const std::string& database) { return database + ".dump"; }

const backup_file* file_of(const backup_manifest& of, std::string_view name) {
  const auto found = std::ranges::find(of.files, name, &backup_file::name);
  return found == of.files.end() ? nullptr : &*found;
}

std::string time_text(wall_time time) {
  auto text = to_rfc3339(time).substr(0, 19);
  text[10] = ' ';
  return text + " UTC";
}

std::string backup_id(wall_time time, const version& of, const std::optional<version>& to,
                      const std::string& operation) {
  auto text = to_rfc3339(time).substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z-" + of.text() + (to ? "-before-" + to->text() : "") + "-" + operation;
}

bool is_backup_id(const std::string& name) {
  static const std::regex form("[0-9]{8}T[0-9]{6}Z-[0-9]+[.][0-9]+[.][0-9]+.*-[0-9a-f]{8}");
  return std::regex_match(name, form);
}

std::string to_json(const backup_manifest& manifest) {
  json files = json::array();
  for (const auto& each : manifest.files)
    files.push_back({{"name", each.name}, {"bytes", each.bytes}, {"sha256", each.sha256}});
  json tree = {{"format", format_number},
               {"id", manifest.id},
               {"time", to_rfc3339(manifest.time)},
               {"kind", manifest.kind},
               {"version", manifest.version.text()},
               {"revision", manifest.revision.id},
               {"upgrade", manifest.upgrade},
               {"writes_stopped", manifest.writes_stopped},
               {"half_migrated", manifest.half_migrated},
               {"image", manifest.image},
               {"databases", manifest.databases},
               {"files", files}};
  for (const auto& each : manifest.runs)
    tree["runs"].push_back({{"instance", each.instance}, {"id", each.id}, {"ended", each.ended}});
  return tree.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<backup_manifest> parse_manifest(std::string_view text, const std::string& folder) {
  const auto corrupt = [&](const std::string& cause) {
    return fail("backup-corrupt",
                "cannot read " + std::string(manifest_file) + " of backup " + folder + ": " + cause);
  };
  try {
    const auto tree = json::parse(text);
    if (tree.at("format").get<int>() > format_number) return corrupt("a newer difyd wrote it");
    auto result = read(tree);
    if (result.id != folder) return corrupt("it is that of " + result.id);
    for (const auto& each : result.databases)
      if (!plain(each) || !file_of(result, dump_file(each))) return corrupt("database " + each);
    for (const auto& each : result.files)
      if (!plain(each.name)) return corrupt("file " + each.name);
    return result;
  } catch (const std::exception& error) {
    return corrupt(error.what());
  }
}

std::vector<std::string> expired(const std::vector<backup_manifest>& all, std::size_t keep,
                                 const ledger::record& book) {
  std::vector<std::string> result;
  if (all.size() <= keep) return result;
  std::set<std::string> needed;
  if (book.restoring) needed.insert(book.restoring->backup);
  if (book.in_flight && book.deployed)
    if (const auto* back = newest_of(all, book.deployed->version)) needed.insert(back->id);
  for (const auto& each : std::vector(all.begin(), all.end() - static_cast<std::ptrdiff_t>(keep)))
    if (!needed.contains(each.id) && (!book.in_flight || each.upgrade != book.in_flight->id))
      result.push_back(each.id);
  return result;
}

std::string why_not_restorable(const backup_manifest& manifest) {
  if (manifest.kind == "cloudsql")
    return "Cloud SQL has it, and restores it: whole instances, by your commands";
  if (manifest.kind != "pg_dump")
    return "it was taken by the command of upgrade.backup_command, and what that has made is the way back";
  if (manifest.half_migrated) return "it was taken of a database that a migration had left half way";
  if (manifest.databases.empty()) return "it holds no database";
  return {};
}

const backup_manifest* newest_of(const std::vector<backup_manifest>& all, const version& of) {
  const backup_manifest* best = nullptr;
  for (const auto& each : all)
    if (each.version == of && leads_back(each) && (!best || each.time >= best->time)) best = &each;
  return best;
}

std::string restore_offer(const backup_manifest& backup) {
  const bool theirs = backup.kind == "cloudsql" && !backup.runs.empty();
  return (theirs ? "says how Cloud SQL puts " : "puts ") + backup.version.text() + " back as it was at " +
         (theirs ? backup.runs.front().ended : time_text(backup.time));
}

Result<backup_manifest> find_backup(const std::vector<backup_manifest>& all, const std::string& id) {
  if (all.empty())
    return fail("no-such-backup", "there is no backup" + (id.empty() ? std::string() : " " + id),
                "Take one: difyd backup");
  if (id.empty()) return all.back();
  std::vector<std::string> ids;
  for (const auto& each : all) {
    if (each.id == id) return each;
    ids.push_back(each.id);
  }
  const auto guess = closest(id, ids);
  return fail("no-such-backup", "there is no backup " + id,
              guess.empty() ? "List them: difyd backup list" : "Did you mean " + guess + "?");
}

control::backup view_of(const backup_manifest& manifest) {
  control::backup view;
  view.id = manifest.id;
  view.time = to_rfc3339(manifest.time);
  view.kind = manifest.kind;
  view.version = manifest.version.text();
  view.revision = manifest.revision.id;
  view.upgrade = manifest.upgrade;
  view.writes_stopped = manifest.writes_stopped;
  view.databases = manifest.databases;
  for (const auto& each : manifest.files) view.bytes += each.bytes;
  view.problem = why_not_restorable(manifest);
  return view;
}

}  // namespace difyd::supervisor
