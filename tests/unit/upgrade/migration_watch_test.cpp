#include "difyd/upgrade/migration_watch.hpp"

#include "catch.hpp"

using namespace difyd::upgrade;
using namespace std::chrono_literals;
using time_point = std::chrono::steady_clock::time_point;

namespace {

const time_point begun{1h};

migration_view at(std::chrono::seconds after, std::chrono::seconds output, bool working = false) {
  return {begun + after, begun + output, working, {}};
}

difyd::database::blocker blocker(int by, std::int64_t seconds) {
  difyd::database::blocker one;
  one.pid = 7;
  one.blocked_by = by;
  one.user = "dba";
  one.application_name = "psql";
  one.relation = "messages";
  one.seconds = seconds;
  one.transaction_seconds = 340;
  one.state = "idle in transaction";
  one.statement = "LOCK TABLE messages";
  return one;
}

}  // namespace

TEST_CASE("a standstill is told once, and anew after something happened") {
  migration_watch watch;
  CHECK(watch.tell(at(0s, 0s)).empty());
  CHECK(watch.tell(at(299s, 0s)).empty());
  CHECK(watch.tell(at(300s, 0s)).size() == 1);
  CHECK(watch.tell(at(400s, 0s)).empty());
  CHECK(watch.tell(at(410s, 405s)).empty());  // a line came
  CHECK(watch.tell(at(704s, 405s)).empty());
  CHECK(watch.tell(at(705s, 405s)).size() == 1);
}

TEST_CASE("a long statement is no standstill") {
  migration_watch watch;
  (void)watch.tell(at(0s, 0s));
  for (auto time = 5s; time < 3600s; time += 5s) CHECK(watch.tell(at(time, 0s, true)).empty());
  CHECK(watch.tell(at(3894s, 0s)).empty());
  CHECK(watch.tell(at(3895s, 0s)).size() == 1);
}

TEST_CASE("a blocker is named once, a short wait not at all") {
  migration_watch watch;
  auto now = at(5s, 0s);
  now.blockers = {blocker(4711, 2)};
  CHECK(watch.tell(now).empty());
  CHECK(watch.last_block().empty());
  now.blockers = {blocker(4711, 12)};
  CHECK(
      watch.tell(now) ==
      std::vector<std::string>{
          "the migration has waited 12 s for table messages, held by session 4711 of dba (psql) since 5 min, "
          "idle in transaction: LOCK TABLE messages; to end that session: select "
          "pg_terminate_backend(4711)"});
  CHECK(watch.tell(now).empty());
  now.blockers.push_back(blocker(4712, 12));
  CHECK(watch.tell(now).size() == 1);
  CHECK(watch.last_block().find("4712") != std::string::npos);
  now.blockers.clear();
  CHECK(watch.tell(now).empty());
  now.blockers = {blocker(4711, 30)};
  CHECK(watch.tell(now).size() == 1);
  difyd::database::blocker unseen;
  unseen.blocked_by = 9;
  unseen.seconds = 130;
  CHECK(to_text(unseen) ==
        "the migration has waited 2 min for a lock, held by session 9; to end that session: select "
        "pg_terminate_backend(9)");
}
