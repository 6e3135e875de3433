#include "difyd/health/probes.hpp"

#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "../../../daemon/health/resp.hpp"
#include "catch.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::health;
using namespace std::chrono_literals;

namespace {

database::server_facts good_server() {
  database::server_facts facts;
  facts.version = "15.14";
  facts.tls = true;
  facts.tls_version = "TLSv1.3";
  facts.connections_used = 12;
  facts.connections_max = 97;
  facts.databases = {"postgres", "dify"};
  return facts;
}

database_target target() {
  database_target result;
  result.where.host = "db";
  result.where.user = "dify";
  result.where.password = "geheim";
  result.name = "dify";
  return result;
}

std::string codes(const findings& all) {
  std::string text;
  for (const auto& each : all) text += (text.empty() ? "" : " ") + each.code;
  return text;
}

stack::observed_container container(const char* service, const char* state, const char* health = "",
                                    int exit_code = 0) {
  stack::observed_container made;
  made.service = service;
  made.name = std::string("p-") + service + "-1";
  made.number = 1;
  made.state = state;
  made.health = health;
  made.exit_code = exit_code;
  return made;
}

// A Redis of a few lines: answers each request with the next of its replies.
task<void> play_redis(asio::ip::tcp::acceptor& acceptor, std::vector<std::string> replies,
                      std::string& heard) {
  auto socket = co_await acceptor.async_accept(asio::use_awaitable);
  char buffer[1024];
  for (const auto& reply : replies) {
    const auto count = co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
    heard.append(buffer, count);
    co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
  }
}

struct conversation {
  Result<redis_facts> facts;
  std::string heard;
};

conversation talk(std::vector<std::string> replies, redis_target with = {}) {
  asio::io_context loop;
  asio::ip::tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
  conversation result;
  with.host = "127.0.0.1";
  with.port = acceptor.local_endpoint().port();
  asio::co_spawn(loop, play_redis(acceptor, std::move(replies), result.heard), [](std::exception_ptr) {});
  result.facts = run_task(loop, ask_redis(with, 2s));
  return result;
}

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

}  // namespace

TEST_CASE("a database is judged by what it is for") {
  auto wants = target();
  auto server = good_server();
  const database::database_facts inside;
  CHECK(codes(judge_database(wants, server, inside, revision{"abc1"})) == "database-ok");
  CHECK(judge_database(wants, server, inside, revision{"abc1"})[0].detail ==
        "PostgreSQL 15.14 at db:5432, database dify, TLSv1.3, 12 of 97 connections, revision abc1");
  server.connections_used = 95;
  CHECK(codes(judge_database(wants, server, inside, {})) == "connections-low");
  server.read_only = true;
  CHECK(codes(judge_database(wants, server, inside, {})) == "database-read-only");
  const auto refused = judge_database(wants, fail("database-auth", "cannot log in", "check"), inside, {});
  CHECK(codes(refused) == "database-auth");
  CHECK(refused[0].level == severity::error);
  CHECK_FALSE(refused[0].new_vm_helps);
}

TEST_CASE("the plugin database must exist or be creatable") {
  auto wants = target();
  wants.plugin = "dify_plugin";
  auto server = good_server();
  const auto missing = judge_database(wants, server, {}, {});
  CHECK(codes(missing) == "database-ok plugin-database-missing");
  CHECK(missing[1].remedy == "As an administrator: CREATE DATABASE dify_plugin OWNER dify");
  server.create_database = true;
  CHECK(codes(judge_database(wants, server, {}, {})) == "database-ok plugin-database-creatable");
  server.databases.push_back("dify_plugin");
  CHECK(codes(judge_database(wants, server, {}, {})) == "database-ok plugin-database-ok");
}

TEST_CASE("pgvector is there, can be had, or is missing") {
  auto wants = target();
  wants.needs_vector = true;
  database::database_facts inside;
  CHECK(codes(judge_database(wants, good_server(), inside, {})) == "database-ok vector-missing");
  inside.vector_available = true;
  CHECK(codes(judge_database(wants, good_server(), inside, {})) == "database-ok vector-creatable");
  inside.vector_version = "0.8.0";
  CHECK(codes(judge_database(wants, good_server(), inside, {})) == "database-ok vector-ok");
  CHECK(codes(judge_database(wants, good_server(), fail("database-failed", "m"), {})) ==
        "database-ok database-failed");
}

TEST_CASE("services are judged by state and health; starting is not healthy") {
  stack::observed now;
  now.containers = {container("api", "running"),
                    container("beat", "running", "healthy"),
                    container("db", "running", "starting"),
                    container("init", "exited"),
                    container("job", "exited", "", 3),
                    container("sandbox", "running", "unhealthy"),
                    container("web", "restarting"),
                    container("worker", "exited"),
                    container("x", "paused"),
                    container("y", "created")};
  std::vector<expected_service> expected;
  for (const char* name : {"api", "beat", "db", "sandbox", "web", "worker", "x", "y", "gone"})
    expected.push_back({name, false});
  expected.push_back({"init", true});
  expected.push_back({"job", true});
  CHECK(codes(judge_services(expected, now)) ==
        "service-ok service-ok service-starting service-unhealthy service-restarting service-ended "
        "service-paused "
        "service-starting service-missing service-ok service-ended");
  CHECK(judge_services({{"web", false}}, now)[0].level == severity::error);
  CHECK(judge_services({{"web", false}}, now, {"web"})[0].level == severity::warning);
}

TEST_CASE("the published port is judged by its answer") {
  const port_target at;
  CHECK(judge_port(at, 200, 5ms).code == "port-answers");
  CHECK(judge_port(at, 307, 5ms).code == "port-answers");
  CHECK(judge_port(at, 404, 5ms).code == "port-unexpected");
  CHECK(judge_port(at, 502, 5ms).code == "port-error");
  CHECK(judge_port(at, fail("connection-refused", "cannot"), 5ms).code == "port-away");
}

TEST_CASE("the engine is judged by whether and how fast it answers") {
  const engine::engine_version version{"20.10.24", "1.41", "1.41"};
  CHECK(judge_engine(version, 3ms).code == "engine-ok");
  CHECK(judge_engine(version, 3s).code == "engine-slow");
  CHECK(judge_engine(fail("deadline-exceeded", "cannot ping"), 5s).code == "engine-away");
  CHECK(judge_engine(fail("engine-not-running", "cannot reach", "Start it"), 5ms).remedy ==
        "Start it. It is looked for where engine.host says");
  CHECK(judge_engine(fail("engine-too-old", "cannot use", "upgrade"), 5ms).code == "engine-unusable");
}

TEST_CASE("Redis' replies are taken off as they come") {
  std::string buffer;
  redis_reply reply;
  CHECK(take_reply(buffer, reply) == redis_progress::incomplete);
  for (const char c : std::string("$5\r\nhello\r")) {
    buffer += c;
    CHECK(take_reply(buffer, reply) == redis_progress::incomplete);
  }
  buffer += "\n-ERR no\r\n:7\r\n$-1\r\n*1\r\n";
  CHECK(take_reply(buffer, reply) == redis_progress::complete);
  CHECK(reply.text == "hello");
  CHECK(take_reply(buffer, reply) == redis_progress::complete);
  CHECK((reply.error && reply.text == "ERR no"));
  CHECK(take_reply(buffer, reply) == redis_progress::complete);
  CHECK(reply.text == "7");
  CHECK(take_reply(buffer, reply) == redis_progress::complete);
  CHECK(reply.text.empty());
  CHECK(take_reply(buffer, reply) == redis_progress::malformed);
  for (std::string bad : {"$x\r\n", "$-7\r\n", "$99999999999\r\n", "HTTP/1.1 400 Bad\r\n"})
    CHECK(take_reply(bad, reply) == redis_progress::malformed);
  CHECK(redis_command({"AUTH", "p w"}) == "*2\r\n$4\r\nAUTH\r\n$3\r\np w\r\n");
}

TEST_CASE("Redis is asked as an operator would ask it") {
  const std::string info = bulk(
      "# Server\r\nredis_version:6.0.16\r\nused_memory:1000\r\nmaxmemory:2000\r\n"
      "maxmemory_policy:allkeys-lru\r\nrole:master\r\n");
  redis_target with;
  with.user = "dify";
  with.password = "geheim";
  const auto good = talk({"+OK\r\n", "+PONG\r\n", info}, with);
  REQUIRE(good.facts);
  CHECK(good.heard.starts_with("*3\r\n$4\r\nAUTH\r\n$4\r\ndify\r\n$6\r\ngeheim\r\n*1\r\n$4\r\nPING"));
  CHECK(good.facts->version == "6.0.16");
  CHECK(good.facts->memory_max == 2000);
  CHECK(judge_redis(with, good.facts).code == "redis-evicts");
  const auto wrong = talk({"-WRONGPASS invalid username-password pair\r\n"}, with);
  CHECK(judge_redis(with, wrong.facts).code == "redis-auth");
  CHECK(judge_redis(with, wrong.facts).detail.find("geheim") == std::string::npos);
  CHECK(talk({"-NOAUTH Authentication required.\r\n"}).facts.error().code == "redis-auth");
  CHECK(talk({"-LOADING Redis is loading\r\n"}).facts.error().code == "redis-loading");
  CHECK(talk({"HTTP/1.1 400 Bad Request\r\n"}).facts.error().code == "redis-away");
  CHECK(talk({}).facts.error().code == "redis-away");
}

TEST_CASE("what does not answer is given up at its deadline") {
  asio::io_context loop;
  asio::ip::tcp::acceptor silent(loop, {asio::ip::address_v4::loopback(), 0});
  redis_target with;
  with.host = "127.0.0.1";
  with.port = silent.local_endpoint().port();
  const auto late = run_task(loop, ask_redis(with, 50ms));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == "deadline-exceeded");
  CHECK(judge_redis(with, late).code == "redis-silent");
}

namespace {

task<findings> none() { co_return findings{}; }
task<findings> throwing() {
  co_await pause(1ms);
  throw std::runtime_error("no such luck");
}
task<findings> hanging() {
  co_await pause(1h);
  co_return findings{};
}

}  // namespace

TEST_CASE("a probe that goes wrong or does not end is a finding of its subject") {
  CHECK(run_task(guarded("redis", none(), 1s)).empty());
  const auto thrown = run_task(guarded("redis", throwing(), 1s));
  REQUIRE(thrown.size() == 1);
  CHECK(thrown[0].code == "probe-failed");
  CHECK(thrown[0].detail.find("no such luck") != std::string::npos);
  const auto late = run_task(guarded("redis", hanging(), 20ms));
  REQUIRE(late.size() == 1);
  CHECK(late[0].code == "probe-failed");
  CHECK(late[0].subject == "redis");
}

TEST_CASE("a PostgreSQL that is reached is judged by version, TLS and revision") {
  database_target target;
  target.name = "dify";
  target.through_network = true;
  database::server_facts facts;
  facts.version_number = 150014;
  facts.connections_max = 100;
  facts.tls = true;
  const auto code = [&](const char* at) { return judge_database(target, facts, {}, revision{at})[0].code; };
  CHECK(code("abc") == "database-ok");
  target.expected_revision = "abc";
  CHECK(code("abc") == "database-ok");
  CHECK(code("abd") == "revision-differs");
  CHECK(code("") == "revision-differs");
  const auto unread = [&](const char* cause) {
    return judge_database(target, facts, {}, fail(cause, "cannot read it", ""))[0];
  };
  CHECK(unread("revision-ambiguous").code == "revision-ambiguous");
  CHECK(unread("revision-ambiguous").level == severity::error);
  for (const auto* cause : {"database-timeout", "database-permission", "deadline-exceeded"}) {
    CHECK(unread(cause).code == "revision-unknown");
    CHECK(unread(cause).level == severity::warning);
    CHECK_FALSE(unread(cause).remedy.empty());
  }
  facts.tls = false;
  CHECK(code("abc") == "database-plain");
  target.through_network = false;
  CHECK(code("abc") == "database-ok");
  facts.version_number = 120022;
  CHECK(code("abc") == "database-old");
  const Result<database::server_facts> silent = fail("lane-busy", "busy");
  CHECK(judge_database(target, silent, {}, {})[0].code == "database-silent");
}

TEST_CASE("an install that was set up and says that it was not stands on an empty database") {
  CHECK(judge_setup(std::string("finished"), false).code == "setup-done");
  CHECK(judge_setup(std::string("not_started"), false).level == severity::info);
  CHECK(judge_setup(std::string("not_started"), true).code == "setup-lost");
  CHECK(judge_setup(std::string("not_started"), true).level == severity::error);
  CHECK(judge_setup(fail("x", "y"), true).code == "setup-unknown");
}

TEST_CASE("the api must say the version that is deployed, or nothing") {
  CHECK(judge_api_version(std::string("1.11.4"), "1.11.4").level == severity::ok);
  CHECK(judge_api_version(std::string(), "1.11.4").level == severity::ok);
  CHECK(judge_api_version(std::string("1.12.0"), "1.11.4").code == "api-version-differs");
}

TEST_CASE("object storage is asked for where Dify uses it") {
  CHECK(object_endpoint({}).empty());
  CHECK(object_endpoint({{"STORAGE_TYPE", "opendal"}, {"S3_ENDPOINT", "http://minio:9000"}}).empty());
  CHECK(object_endpoint({{"STORAGE_TYPE", "s3"}, {"S3_ENDPOINT", "http://minio:9000"}}) ==
        "http://minio:9000");
  CHECK(object_endpoint({{"STORAGE_TYPE", "s3"}, {"S3_ENDPOINT", "s3.example.com"}}) ==
        "https://s3.example.com");
  CHECK(object_endpoint(
            {{"STORAGE_TYPE", "opendal"}, {"OPENDAL_SCHEME", "s3"}, {"OPENDAL_S3_ENDPOINT", "http://x"}}) ==
        "http://x");
  CHECK(judge_object_storage("u", host::api_answer{403, ""}).level == severity::ok);
  CHECK(judge_object_storage("u", host::api_answer{0, "refused"}).code == "object-storage-away");
  CHECK(judge_object_storage("u", host::api_answer{503, ""}).code == "object-storage-failing");
}

TEST_CASE("containers that are nobody's are named, and logs without a limit") {
  stack::observed now;
  const auto add = [&](const char* name, const char* service) -> stack::observed_container& {
    stack::observed_container one;
    one.name = name;
    one.service = service;
    one.state = "running";
    return now.containers.emplace_back(one);
  };
  add("p-api-1", "api").logs_unbounded = true;
  CHECK(judge_containers({{"api"}}, now, {})[0].code == "containers-ok");
  CHECK(judge_containers({{"api"}}, now, {})[1].code == "logs-unbounded");
  add("p-mystery-1", "mystery");
  auto& run = add("p-api-run-1", "api");
  run.one_off = true;
  auto found = judge_containers({{"api"}}, now, {"dev.difyd.upgrade"});
  CHECK(found[0].code == "containers-foreign");
  CHECK(found[0].detail.find("p-mystery-1, p-api-run-1") != std::string::npos);
  now.containers.back().labels["dev.difyd.upgrade"] = "x";
  found = judge_containers({{"api"}}, now, {"dev.difyd.upgrade"});
  CHECK(found[0].detail.find("p-api-run-1") == std::string::npos);
}

TEST_CASE("what the kernel killed for want of memory says so") {
  stack::observed now;
  stack::observed_container one;
  one.service = "api";
  one.state = "exited";
  one.exit_code = 137;
  one.oom_killed = true;
  now.containers.push_back(one);
  CHECK(judge_services({{"api"}}, now)[0].code == "service-out-of-memory");
}
