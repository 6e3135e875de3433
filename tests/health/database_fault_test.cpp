// PostgreSQL in every way in which it can be away, as the probe tells it: each with its own code and remedy,
// within its deadlines, and well again by itself when the fault is taken away.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "../database/test_server.hpp"
#include "catch.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/health/probes.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::health;
using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

bool run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

void control(const std::string& arguments) {
  REQUIRE(run(database::from_environment("PGTEST_CTL") + " " + arguments));
}

void start_server() { control("start -w -t 60 -l " + database::from_environment("PGTEST_FOLDER") + "/log"); }

void as_admin(const std::string& statement) {
  REQUIRE(run("psql -h " + database::from_environment("PGTEST_FOLDER") + " -p " +
              database::from_environment("PGTEST_PORT") + " -U admin -d postgres -v ON_ERROR_STOP=1 -c \"" +
              statement + "\""));
}

pid_t postmaster() {
  std::ifstream file(database::from_environment("PGTEST_FOLDER") + "/data/postmaster.pid");
  pid_t pid = 0;
  REQUIRE(file >> pid);
  return pid;
}

database_target target() {
  database_target result;
  result.where = database::as();
  result.where.connect_limit = 2s;
  result.where.call_limit = 2s;
  result.name = "dify";
  return result;
}

// One daemon's connection, which is kept from look to look.
class prober {
 public:
  explicit prober(database_target with = target()) : target_(std::move(with)) {
    target_.server = std::make_shared<database::server>(loop_.get_executor(), target_.where);
  }
  finding look() {
    const auto found = run_task(loop_, probe_database(target_));
    REQUIRE_FALSE(found.empty());
    return found.front();
  }
  // The first finding with the code; fails at the deadline.
  finding look_for(const std::string& code, duration within = 60s) {
    const auto end = steady::now() + within;
    for (;;) {
      auto found = look();
      if (found.code == code || steady::now() > end) {
        INFO(found.detail);
        CHECK(found.code == code);
        return found;
      }
      run_task(loop_, wait());
    }
  }

 private:
  static task<bool> wait() {
    co_await pause(50ms);
    co_return true;
  }
  asio::io_context loop_;
  database_target target_;
};

void check_error(const finding& found) {
  CHECK(found.level == severity::error);
  CHECK_FALSE(found.remedy.empty());
  CHECK_FALSE(found.new_vm_helps);
  CHECK(found.detail.find("geheim") == std::string::npos);
}

// A connection whose packets are dropped on the way: a network namespace whose other end swallows everything.
class black_hole {
 public:
  black_hole() {
    made_ = ::geteuid() == 0 && run("ip netns add " + name_) &&
            run("ip link add " + name_ + " type veth peer name eth0 netns " + name_) &&
            run("ip addr add 198.18.77.1/30 dev " + name_) && run("ip link set " + name_ + " up") &&
            run("ip -n " + name_ + " addr add 198.18.77.2/30 dev eth0") &&
            run("ip -n " + name_ + " link set eth0 up") &&
            run("ip netns exec " + name_ + " iptables -A INPUT -p tcp -j DROP");
  }
  ~black_hole() { run("ip netns del " + name_); }
  bool made() const { return made_; }

 private:
  std::string name_ = "difydhole" + std::to_string(::getpid() % 100000);
  bool made_ = false;
};

}  // namespace

TEST_CASE("stopped, and started again") {
  prober one;
  one.look_for("database-ok");
  control("stop -m fast -w");
  check_error(one.look_for("database-refused"));
  start_server();
  one.look_for("database-ok");
}

TEST_CASE("frozen: the look ends at its deadline, and the server is well again once it runs") {
  prober one;
  one.look_for("database-ok");
  const auto pid = postmaster();
  // The backends as well: they are what answers a session that is open.
  REQUIRE(run("pkill -STOP -P " + std::to_string(pid)));
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  const auto begun = steady::now();
  const auto found = one.look();
  const auto took = steady::now() - begun;
  REQUIRE(::kill(pid, SIGCONT) == 0);
  REQUIRE(run("pkill -CONT -P " + std::to_string(pid)));
  INFO(found.detail);
  CHECK(found.code == "database-silent");
  check_error(found);
  CHECK(took < 15s);
  one.look_for("database-ok");
}

TEST_CASE("out of connections") {
  prober waiting;
  std::vector<std::unique_ptr<prober>> all;
  std::string code;
  for (int i = 0; i < 20 && code != "database-too-many-connections"; ++i) {
    all.push_back(std::make_unique<prober>());
    code = all.back()->look().code;
  }
  CHECK(code == "database-too-many-connections");
  check_error(waiting.look_for("database-too-many-connections"));
  all.clear();
  const auto after = waiting.look_for("database-ok");
  CHECK(after.level == severity::ok);
}

TEST_CASE("read-only") {
  prober one;
  as_admin("alter role dify set default_transaction_read_only = on");
  prober other;
  check_error(other.look_for("database-read-only"));
  as_admin("alter role dify reset default_transaction_read_only");
  prober again;
  again.look_for("database-ok");
}

TEST_CASE("a wrong password, a missing database, a name nobody knows, TLS that is not offered as wanted") {
  struct wrong {
    const char* code;
    void (*make)(database_target&);
  };
  const wrong all[] = {
      {"database-auth", [](database_target& t) { t.where.password = "geheimer"; }},
      {"database-missing", [](database_target& t) { t.name = "not_there"; }},
      {"database-name-unknown", [](database_target& t) { t.where.host = "no-such-host.invalid"; }},
      {"database-tls",
       [](database_target& t) { t.where.sslmode = "verify-full", t.where.ca_file = "/etc/hostname"; }},
  };
  for (const auto& each : all) {
    INFO(each.code);
    auto with = target();
    each.make(with);
    prober one(with);
    check_error(one.look_for(each.code, 10s));
  }
}

TEST_CASE("behind a black hole: the look ends at its deadline") {
  const black_hole hole;
  if (!hole.made()) {
    WARN("no network namespace can be made here");
    return;
  }
  auto with = target();
  with.where.host = "198.18.77.2";
  prober one(with);
  const auto begun = steady::now();
  const auto found = one.look();
  CHECK(steady::now() - begun < 15s);
  INFO(found.detail);
  CHECK(found.code == "database-silent");
  check_error(found);
}

TEST_CASE("a frozen server delays no other probe") {
  const auto pid = postmaster();
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  asio::io_context loop;
  auto with = target();
  with.server = std::make_shared<database::server>(loop.get_executor(), with.where);
  redis_target redis;
  redis.host = "127.0.0.1";
  redis.port = 1;
  std::vector<task<findings>> both;
  const auto timed = [](task<findings> probe) -> task<findings> {
    const auto begun = steady::now();
    auto found = co_await std::move(probe);
    found.front().since = wall_time(std::chrono::duration_cast<wall_time::duration>(steady::now() - begun));
    co_return found;
  };
  both.push_back(timed(probe_database(with)));
  both.push_back(timed(probe_redis(redis)));
  const auto found = run_task(loop, when_all(std::move(both)));
  REQUIRE(::kill(pid, SIGCONT) == 0);
  CHECK(found[0].front().code == "database-silent");
  CHECK(found[1].front().code == "redis-away");
  CHECK(found[1].front().since - wall_time{} < 1s);
  CHECK(found[0].front().since - found[1].front().since > 500ms);
}
