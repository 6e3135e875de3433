#include "difyd/health/replacements.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::health;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000h;
const replacement one{"disk.boot/boot-disk-full", "4711", start};
const replacement two{"engine/engine-dead", "4711", start + 1ms};

}  // namespace

TEST_CASE("a record is read back as it was written") {
  const auto read = parse_replacement(to_json(one));
  REQUIRE(read);
  CHECK(*read == one);
}

TEST_CASE("what is no record says so") {
  for (const char* text : {"", "{}", "[]", "{\"finding\":\"a\",\"machine\":\"b\"}",
                           "{\"finding\":1,\"machine\":\"b\",\"asked_ms\":1}"}) {
    const auto read = parse_replacement(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == "replacement-unreadable");
  }
}

TEST_CASE("each request has a file of its own") {
  CHECK(file_name(one) == file_name(one));
  CHECK(file_name(one) != file_name(two));
  CHECK(file_name(one) != file_name({one.finding, "another", one.asked}));
  CHECK(file_name(one).find('/') == std::string::npos);
}

TEST_CASE("two places together know each request once, oldest first") {
  const auto all = merged({two, one}, {one});
  REQUIRE(all.size() == 2);
  CHECK(all[0] == one);
  CHECK(all[1] == two);
}

TEST_CASE("a request is kept for as long as it may count, and longer") {
  policy rules;
  CHECK_FALSE(outdated(one, rules, start + 24h));
  CHECK_FALSE(outdated(one, rules, start - 24h));  // a clock that was set back
  CHECK(outdated(one, rules, start + 241h));
}
