// The record of replacements on a real folder through difyd-helper and in a real PostgreSQL, and a repair
// loop that meets both.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "../database/test_server.hpp"
#include "catch.hpp"
#include "difyd/health/judge.hpp"
#include "difyd/health/replacement_book.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::health;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000h;
const policy rules;

// A share and a database, each of which may be away.
class places {
 public:
  places() {
    path_ = ::mkdtemp(name_);
    std::filesystem::create_directory(path_ + "/lock");
    std::filesystem::create_directory(path_ + "/share");
  }
  ~places() { std::filesystem::remove_all(path_); }

  bool share = true, database = true;
  // One for each test, so that none meets another's records.
  std::string own_database = "no_such_database";

  std::string share_path() const { return path_ + "/share"; }

  // What a new machine has: connections of its own.
  replacement_places seen(asio::io_context& loop) const {
    replacement_places where;
    host::share_options options;
    options.root = share_path();
    options.lock_folder = path_ + "/lock";
    options.limit = 20s;
    if (share) where.share.emplace(options);
    if (database) where.database = std::make_shared<database::server>(loop.get_executor(), database::as());
    where.own_database = own_database;
    where.main_database = "dify";
    return where;
  }

  std::vector<replacement> read(wall_time now = start) const {
    asio::io_context loop;
    const auto known = run_task(loop, read_replacements(seen(loop), rules, now));
    REQUIRE(known);
    return *known;
  }
  Result<> write(const replacement& asked) const {
    asio::io_context loop;
    return run_task(loop, write_replacement(seen(loop), asked));
  }

 private:
  char name_[40] = "/tmp/difyd-replacements-XXXXXX";
  std::string path_;
};

// Another finding in each test: the database is one for all of them.
bool has(const std::vector<replacement>& all, const replacement& one) {
  return std::ranges::find(all, one) != all.end();
}

}  // namespace

TEST_CASE("what is written is read by the next machine, from either place") {
  places here;
  const replacement one{"disk.boot/both", "a", start};
  REQUIRE(here.write(one));
  CHECK(has(here.read(), one));
  here.database = false;
  CHECK(has(here.read(), one));
  here.database = true, here.share = false;
  CHECK(has(here.read(), one));
}

TEST_CASE("a record that was made while one place was away is copied there") {
  places here;
  const replacement one{"disk.boot/copied", "a", start};
  here.share = false;
  REQUIRE(here.write(one));
  here.share = true;
  CHECK(has(here.read(), one));
  here.database = false;
  CHECK(has(here.read(), one));
  here.database = true;

  const replacement two{"disk.boot/copied", "b", start};
  here.database = false;
  REQUIRE(here.write(two));
  here.database = true;
  (void)here.read();
  here.share = false;
  CHECK(has(here.read(), two));
}

TEST_CASE("where both are away nothing is known and nothing can be written") {
  places here;
  here.share = here.database = false;
  asio::io_context loop;
  CHECK(run_task(loop, read_replacements(here.seen(loop), rules, start)).error().code ==
        "replacements-unknown");
  CHECK(here.write({"x/y", "a", start}).error().code == "replacement-not-written");
}

TEST_CASE("a share whose record cannot be read leaves the word to the database") {
  places here;
  const replacement one{"disk.boot/spoiled", "a", start};
  REQUIRE(here.write(one));
  for (const auto& entry : std::filesystem::directory_iterator(here.share_path() + "/.difyd/replacements"))
    std::ofstream(entry.path()) << "no record";
  CHECK(has(here.read(), one));
  here.database = false;
  asio::io_context loop;
  CHECK_FALSE(run_task(loop, read_replacements(here.seen(loop), rules, start)));
}

TEST_CASE("what is too old to count is forgotten on the share") {
  places here;
  here.database = false;
  REQUIRE(here.write({"disk.boot/old", "a", start}));
  CHECK(here.read(start + 24h).size() == 1);
  CHECK(here.read(start + 24h * 11).empty());
  CHECK(std::filesystem::is_empty(here.share_path() + "/.difyd/replacements"));
}

// A machine with a fault that comes back on each new one, asked every hour for three days.
TEST_CASE("a repair loop gives one replacement a day, whichever place is away meanwhile") {
  places here;
  int machine = 0, replaced = 0;
  int holds = 0;
  for (int hour = 0; hour < 72; ++hour) {
    const auto now = start + std::chrono::hours(hour);
    here.share = hour % 3 != 1;
    here.database = hour % 3 != 2;
    const finding fault{"disk.boot", "boot-disk-full", severity::critical, "full", "", true, now - 10min};
    situation serving;
    serving.current = phase::serving;
    memory past;
    past.known = true;
    past.machine = "machine-" + std::to_string(machine);
    past.asked = here.read(now);
    auto judged = judge({fault}, serving, rules, now, past);
    CHECK(judged.given.healthz == answer::ok);  // before the record exists
    if (!judged.record) {
      CHECK(judged.given.row == 2);
      ++holds;
      continue;
    }
    REQUIRE(here.write(*judged.record));
    past.asked = here.read(now);
    judged = judge({fault}, serving, rules, now, past);
    REQUIRE(judged.given.healthz == answer::unavailable);
    ++replaced, ++machine;  // the autohealer does as it is told
  }
  CHECK(replaced == 3);
  CHECK(holds == 69);
}
