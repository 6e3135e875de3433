#include "../../../daemon/supervisor/rehearsal_report.hpp"

#include "catch.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

migration_times::clock::time_point at(std::chrono::milliseconds since) {
  return migration_times::clock::time_point{} + 1h + since;
}

rehearsal good() {
  rehearsal of;
  of.to = *parse_version("1.12.1");
  of.backup = "b1";
  of.of = *parse_version("1.11.4");
  of.dump_bytes = 2048;
  of.load_seconds = 1.5;
  of.seconds = 90;
  of.before = {"a"};
  of.after = of.head = {"b"};
  return of;
}

}  // namespace

TEST_CASE("the copy's name is its own, short enough, and known again") {
  const std::string share = "abc", id = "0123456789abcdef";
  CHECK(scratch_name("dify", share, id) == "dify_rehearsal_ba7816bf_01234567");
  const std::string longest(63, 'd');
  const auto name = scratch_name(longest, share, id);
  CHECK(name.size() == 63);
  CHECK(is_scratch(name, longest, share));
  CHECK(is_scratch("dify_rehearsal_ba7816bf_01234567", "dify", share));
  // Another installation's on the same server is not ours.
  CHECK_FALSE(is_scratch(scratch_name("dify", "another", id), "dify", share));
  for (const auto* other : {"dify", "", "dify_rehearsal_", "dify_rehearsal_01234567",
                            "dify_rehearsal_ba7816bf_0123456", "dify_rehearsal_ba7816bf_0123456x",
                            "dify2_rehearsal_ba7816bf_01234567", "dify_rehearsal_ba7816bf_01234567_"})
    CHECK_FALSE(is_scratch(other, "dify", share));
}

TEST_CASE("each migration has its time") {
  migration_times times;
  times.line("INFO  [alembic.runtime.migration] Will assume transactional DDL.", at(0ms));
  times.line("INFO  [alembic.runtime.migration] Running upgrade  -> a1, First.", at(100ms));
  times.line("something it prints", at(150ms));
  times.line("INFO  [alembic.runtime.migration] Running upgrade a1 -> b2", at(1100ms));
  times.end(at(4100ms));
  REQUIRE(times.all().size() == 2);
  CHECK(times.all()[0].revision == "a1");
  CHECK(times.all()[0].text == "First.");
  CHECK(times.all()[0].seconds == Approx(1.0));
  CHECK(times.all()[1].revision == "b2");
  CHECK(times.all()[1].text.empty());
  CHECK(times.all()[1].seconds == Approx(3.0));
}

TEST_CASE("of a table's locks the strongest is told, and how long there was one") {
  lock_times locks;
  locks.sample({{"a", "ShareLock"}, {"b", "AccessExclusiveLock"}, {"b", "ShareLock"}}, 0.5);
  locks.sample({{"a", "AccessExclusiveLock"}, {"b", "ShareLock"}}, 0.25);
  locks.sample({{"a", "ShareLock"}}, 0.25);
  REQUIRE(locks.all().size() == 2);
  CHECK(locks.all().at("a").mode == "AccessExclusiveLock");
  CHECK(locks.all().at("a").seconds == Approx(1.0));
  CHECK(locks.all().at("b").mode == "AccessExclusiveLock");
  CHECK(locks.all().at("b").seconds == Approx(0.75));
}

TEST_CASE("a rehearsal says what an upgrade would come to") {
  auto of = good();
  CHECK(succeeded(of));
  CHECK(verdict_of(of) ==
        "the migration to 1.12.1 took 90 s on a copy of backup b1 (2.0 KiB, loaded in 1.5 s): a -> b");
  of.server = "10.1.0.9:5432";
  CHECK(verdict_of(of).find("on a copy of backup b1 on the server 10.1.0.9:5432 (2.0") != std::string::npos);
  of.exit_code = 1;
  of.cause = "it broke";
  CHECK_FALSE(succeeded(of));
  CHECK(verdict_of(of).ends_with("(exit code 1): it broke"));
  of = good();
  of.after = {};
  CHECK_FALSE(succeeded(of));
  CHECK(verdict_of(of).ends_with("with revision none where the image's head is b"));

  of = good();
  CHECK(details_of(of) == std::vector<std::string>{"no table was locked for longer than about 250 ms"});
  for (int i = 0; i < 12; ++i)
    of.migrations.push_back({"m" + std::to_string(i), i == 3 ? "Third." : "", double(i)});
  of.locks["messages"] = {"AccessExclusiveLock", 2};
  const auto lines = details_of(of);
  REQUIRE(lines.size() == 12);
  CHECK(lines.front() == "migration m11: 11 s");
  CHECK(lines[8] == "migration m3: 3 s, Third.");
  CHECK(lines[10] == "and 2 shorter ones");
  CHECK(lines.back() == "table messages: AccessExclusiveLock for about 2 s");
}

}  // namespace difyd::supervisor
