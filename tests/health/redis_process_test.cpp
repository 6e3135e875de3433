// The Redis probe against a real redis-server on a loopback port; skipped where there is none.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "difyd/base/text.hpp"
#include "difyd/health/probes.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::health;
using namespace std::chrono_literals;

namespace {

std::string redis_program() {
  for (const char* each : {"/usr/bin/redis-server", "/usr/local/bin/redis-server"})
    if (::access(each, X_OK) == 0) return each;
  const char* named = std::getenv("REDIS_SERVER");
  return named ? named : "";
}

std::uint16_t free_port() {
  asio::io_context loop;
  return asio::ip::tcp::acceptor(loop, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

class redis_server {
 public:
  explicit redis_server(std::vector<std::string> options)
      : folder_("/tmp/difyd-redis-" + random_hex(12)), port_(free_port()) {
    std::filesystem::create_directories(folder_);
    std::vector<std::string> words{
        redis_program(), "--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir", folder_,
        "--save",        "",       "--loglevel",          "warning"};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    REQUIRE(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~redis_server() {
    resume();
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  void pause_process() const { ::kill(pid_, SIGSTOP); }
  void resume() const { ::kill(pid_, SIGCONT); }

  redis_target target(std::string password = {}) const {
    redis_target result;
    result.host = "127.0.0.1";
    result.port = port_;
    result.password = std::move(password);
    return result;
  }

  // The finding once it is no longer that the server is still starting.
  finding probed(const redis_target& with) const {
    const auto end = std::chrono::steady_clock::now() + 20s;
    for (;;) {
      const auto found = run_task(probe_redis(with)).at(0);
      if (found.code != "redis-away" || std::chrono::steady_clock::now() > end) return found;
      run_task(waited());
    }
  }

 private:
  static task<bool> waited() {
    co_await pause(10ms);
    co_return true;
  }

  std::string folder_;
  std::uint16_t port_;
  pid_t pid_ = -1;
};

bool skipped() {
  if (!redis_program().empty()) return false;
  WARN("skipped: there is no redis-server");
  return true;
}

}  // namespace

TEST_CASE("a Redis with and without a password") {
  if (skipped()) return;
  const redis_server server({"--requirepass", "geheim"});
  CHECK(server.probed(server.target("geheim")).code == "redis-ok");
  CHECK(server.probed(server.target("falsch")).code == "redis-auth");
  CHECK(server.probed(server.target()).code == "redis-auth");
  const redis_server open({});
  CHECK(open.probed(open.target()).code == "redis-ok");
  CHECK(open.probed(open.target("geheim")).code == "redis-auth");
}

TEST_CASE("a Redis that may drop the queue, and one that is a replica") {
  if (skipped()) return;
  const redis_server evicting({"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"});
  CHECK(evicting.probed(evicting.target()).code == "redis-evicts");
  const redis_server replica({"--replicaof", "127.0.0.1", "1"});
  CHECK(replica.probed(replica.target()).code == "redis-replica");
}

TEST_CASE("a Redis that hangs") {
  if (skipped()) return;
  const redis_server server({});
  REQUIRE(server.probed(server.target()).code == "redis-ok");
  server.pause_process();
  const auto late = run_task(ask_redis(server.target(), 200ms));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == "deadline-exceeded");
  server.resume();
  CHECK(server.probed(server.target()).code == "redis-ok");
}

namespace {

class certificate {
 public:
  certificate() {
    std::filesystem::create_directories(folder_);
    made_ =
        std::system(("openssl req -new -x509 -days 3 -nodes -newkey rsa:2048 -subj /CN=difyd-test -keyout " +
                     key() + " -out " + file() + " >/dev/null 2>&1")
                        .c_str()) == 0;
  }
  ~certificate() { std::filesystem::remove_all(folder_); }
  bool made() const { return made_; }
  std::string key() const { return folder_ + "/key.pem"; }
  std::string file() const { return folder_ + "/cert.pem"; }

 private:
  const std::string folder_ = "/tmp/difyd-redis-tls-" + random_hex(12);
  bool made_ = false;
};

}  // namespace

TEST_CASE("a Redis behind TLS is asked through it, and each mistake about TLS is told") {
  if (skipped()) return;
  const certificate own;
  REQUIRE(own.made());
  const auto port = free_port();
  const redis_server server({"--tls-port", std::to_string(port), "--tls-cert-file", own.file(),
                             "--tls-key-file", own.key(), "--tls-auth-clients", "no", "--requirepass",
                             "geheim"});
  auto with = server.target("geheim");
  REQUIRE(server.probed(with).code == "redis-ok");
  with.tls = true;
  const auto plain = server.probed(with);  // TLS to the port that has none
  CHECK(plain.code == "redis-tls");
  CHECK_FALSE(plain.remedy.empty());
  with.port = port;
  const auto good = server.probed(with);
  CHECK(good.code == "redis-ok");
  CHECK(good.detail.find("Redis ") != std::string::npos);
  with.password = "falsch";
  CHECK(server.probed(with).code == "redis-auth");
  with.tls = false;
  CHECK(server.probed(with).level == severity::error);  // no TLS to the port that wants it
}
