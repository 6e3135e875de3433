#include "../../../daemon/supervisor/backup_manifest.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000 * 24h;

version v(const char* text) { return *parse_version(text); }

backup_manifest taken(const char* id, std::chrono::hours after = 0h, const char* of = "1.11.4") {
  backup_manifest result;
  result.id = id;
  result.time = start + after;
  result.kind = "pg_dump";
  result.version = v(of);
  result.revision = {"905527cc8fd3"};
  result.upgrade = std::string("u-") + id;
  result.writes_stopped = true;
  result.image = "postgres:15-alpine";
  result.databases = {"dify"};
  result.files = {{"dify.dump", 123, "aa"}, {"env", 4, "bb"}};
  return result;
}

using words = std::vector<std::string>;

}  // namespace

TEST_CASE("a manifest survives the way to JSON and back") {
  const auto manifest = taken("x");
  const auto again = parse_manifest(to_json(manifest), "x");
  REQUIRE(again);
  CHECK(*again == manifest);
}

TEST_CASE("what is no manifest of this folder is refused") {
  const std::string good = to_json(taken("x"));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    REQUIRE(text.find(from) != std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK_FALSE(parse_manifest(good, "y"));
  CHECK_FALSE(parse_manifest(with("\"format\": 1", "\"format\": 2"), "x"));
  CHECK_FALSE(parse_manifest(with("\"dify\"", "\"dify; rm\""), "x"));
  CHECK_FALSE(parse_manifest(with("\"dify\"", "\"other\""), "x"));  // without a dump
  CHECK_FALSE(parse_manifest(with("\"env\"", "\"../env\""), "x"));
  CHECK_FALSE(parse_manifest(with("1.11.4", "one"), "x"));
  for (std::size_t length = 0; length + 2 < good.size(); length += 5)
    CHECK_FALSE(parse_manifest(good.substr(0, length), "x"));
}

TEST_CASE("names and times") {
  CHECK(backup_id(start + 61s, v("1.11.4"), v("1.12.1"), "ab") == "20241004T000101Z-1.11.4-before-1.12.1-ab");
  CHECK(backup_id(start, v("1.11.4"), std::nullopt, "ab") == "20241004T000000Z-1.11.4-ab");
  CHECK(time_text(start) == "2024-10-04 00:00:00 UTC");
}

TEST_CASE("a folder of ours is known by its name, an operator's own is left alone") {
  for (const auto* ours :
       {"20241004T000101Z-1.11.4-before-1.12.1-0123abcd", "20241004T000000Z-1.11.4-0123abcd"})
    CHECK(is_backup_id(ours));
  for (const auto* other : {"20200101T000000Z-1.9.2-mine", "0123abcd", "", "2024-1.11.4-0123abcd",
                            "20241004T000000Z-1.11.4-0123abcde", "x20241004T000000Z-1.11.4-0123abcd"})
    CHECK_FALSE(is_backup_id(other));
}

TEST_CASE("a manifest of Cloud SQL's backups keeps which they are, and leads back by an operator's hands") {
  backup_manifest of;
  of.id = "20241004T000000Z-1.11.4-0123abcd";
  of.time = start;
  of.kind = "cloudsql";
  of.version = v("1.11.4");
  of.runs = {{"p:dify-db", "17", "2024-10-04T00:00:00Z"}};
  CHECK(parse_manifest(to_json(of), of.id).value() == of);
  CHECK_FALSE(why_not_restorable(of).empty());
  CHECK(newest_of({of}, of.version)->id == of.id);
  CHECK(restore_offer(of) == "says how Cloud SQL puts 1.11.4 back as it was at 2024-10-04T00:00:00Z");
  of.half_migrated = true;
  CHECK(newest_of({of}, of.version) == nullptr);
}

TEST_CASE("what expires is beyond the newest, and nothing that may be needed") {
  const std::vector all{taken("a", 1h), taken("b", 2h), taken("c", 3h), taken("d", 4h)};
  ledger::record book;
  book.deployed.emplace();
  book.deployed->version = v("1.11.4");
  CHECK(expired(all, 4, book).empty());
  CHECK(expired(all, 9, book).empty());
  CHECK(expired(all, 1, book) == words{"a", "b", "c"});
  book.in_flight.emplace();
  book.in_flight->id = "u-b";
  CHECK(expired(all, 1, book) == words{"a", "c"});
  book.restoring.emplace();
  book.restoring->backup = "a";
  CHECK(expired(all, 1, book) == words{"c"});
  // The way out of the hold, though the backup is of the upgrade before the one in flight.
  auto held = all;
  held[3].half_migrated = true;
  held[1].upgrade = "other";
  CHECK(expired(held, 1, book) == words{"b"});
}

TEST_CASE("which backup leads back") {
  std::vector all{taken("a", 1h), taken("b", 2h), taken("c", 3h), taken("d", 4h, "1.12.1")};
  REQUIRE(newest_of(all, v("1.11.4")));
  CHECK(newest_of(all, v("1.11.4"))->id == "c");
  all[2].half_migrated = true;
  CHECK(newest_of(all, v("1.11.4"))->id == "b");
  all[1].kind = "command";
  CHECK(newest_of(all, v("1.11.4"))->id == "a");
  CHECK_FALSE(newest_of(all, v("1.10.1")));
  CHECK(find_backup(all, "")->id == "d");
  CHECK(find_backup(all, "b")->id == "b");
  CHECK(find_backup(all, "x").error().code == "no-such-backup");
  CHECK(find_backup({}, "").error().code == "no-such-backup");
}
