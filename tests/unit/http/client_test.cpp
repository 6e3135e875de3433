#include "difyd/http/client.hpp"

#include "difyd/base/task_group.hpp"
#include "fixture.hpp"

using namespace difyd;
using namespace difyd::http;

namespace {

std::string code_of(const Result<response>& result) { return result ? "success" : result.error().code; }

Result<response> get(asio::io_context& loop, client& from, std::string target = "/",
                     send_options options = {}) {
  return run_task(loop, from.send({"GET", std::move(target), {}, {}}, options));
}

// A server that does with each connection what it is told, on a thread of its own.
class scripted {
 public:
  explicit scripted(std::string path, std::string answer, bool read_first = true)
      : thread_([path, answer, read_first, listening = listen_on(path)] {
          for (;;) {
            const int socket = ::accept(listening, nullptr, nullptr);
            char buffer[4096];
            if (read_first && ::recv(socket, buffer, sizeof buffer, 0) >= 4 &&
                std::memcmp(buffer, "QUIT", 4) == 0) {
              ::close(socket);
              ::close(listening);
              return;
            }
            [[maybe_unused]] const auto sent = ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
            ::close(socket);
            if (!read_first) {
              ::close(listening);
              return;
            }
          }
        }),
        path_(std::move(path)),
        quits_(!read_first) {}
  ~scripted() {
    if (!quits_) raw_client(path_).say("QUIT");
    thread_.join();
  }

 private:
  static int listen_on(const std::string& path) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(socket, 10) == 0);
    return socket;
  }
  std::thread thread_;
  std::string path_;
  bool quits_;
};

}  // namespace

TEST_CASE("connections are kept and used again") {
  served host(echo);
  client from(host.loop.get_executor(), unix_endpoint(host.path));
  for (int i = 0; i < 3; ++i) {
    const auto answer = get(host.loop, from, "/" + std::to_string(i));
    REQUIRE(answer);
    CHECK(answer->body == "GET /" + std::to_string(i) + " ");
  }
  CHECK(host.server.connections() == 1);
}

TEST_CASE("a kept connection that the server has closed is replaced") {
  server_options options;
  options.idle_timeout = 5ms;
  served host(echo, options);
  client from(host.loop.get_executor(), unix_endpoint(host.path));
  REQUIRE(get(host.loop, from));
  REQUIRE(eventually(host.loop, [&] { return host.server.connections() == 0; }));
  CHECK(run_task(host.loop, from.send({"POST", "/", {}, "again"})));
}

TEST_CASE("many requests at once") {
  served host(echo);
  client from(host.loop.get_executor(), unix_endpoint(host.path));
  std::vector<task<Result<response>>> all;
  for (int i = 0; i < 50; ++i) all.push_back(from.send({"POST", "/", {}, std::to_string(i)}));
  const auto answers = run_task(host.loop, when_all(std::move(all)));
  for (std::size_t i = 0; i < answers.size(); ++i) CHECK(answers[i]->body == "POST / " + std::to_string(i));
}

TEST_CASE("over TCP, too") {
  served host(echo);
  REQUIRE(host.server.listen_tcp("127.0.0.1", 0));
  for (const std::string name : {"127.0.0.1", "localhost"}) {
    client from(host.loop.get_executor(), tcp_endpoint(name, host.server.port()));
    const auto answer = get(host.loop, from);
    INFO((answer ? "" : answer.error().message));
    REQUIRE(answer);
    CHECK(answer->body == "GET / ");
  }
  client nobody(host.loop.get_executor(), tcp_endpoint("no-such-host.invalid", 80));
  CHECK(code_of(get(host.loop, nobody)) == "host-unknown");
}

TEST_CASE("ways of not reaching a server have codes of their own") {
  asio::io_context loop;
  scratch_folder folder;
  const std::string path = folder / "x.sock";
  client from(loop.get_executor(), unix_endpoint(path));
  auto missing = get(loop, from);
  CHECK(code_of(missing) == "socket-missing");
  CHECK(missing.error().message == "cannot connect to unix://" + path + ": there is no such socket");
  {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(socket);
  }
  CHECK(code_of(get(loop, from)) == "connection-refused");
}

TEST_CASE("answers that are none are told apart") {
  struct row {
    const char* answer;
    const char* code;
  };
  const row rows[] = {
      {"", "connection-lost"},
      {"HTTP/1.1 200 OK\r\nContent-Le", "connection-lost"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "connection-lost"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "connection-lost"},
      {"SSH-2.0-OpenSSH\r\n\r\n", "malformed-answer"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", "answer-too-large"},
      {"HTTP/1.1 200 OK\r\n\r\nuntil close", "success"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "success"},
  };
  for (const auto& each : rows) {
    INFO(each.answer);
    scratch_folder folder;
    scripted host(folder / "x.sock", each.answer);
    asio::io_context loop;
    client from(loop.get_executor(), unix_endpoint(folder / "x.sock"));
    CHECK(code_of(get(loop, from, "/", {5s, 100})) == each.code);
  }
}

TEST_CASE("an answer that comes before the whole upload counts") {
  scratch_folder folder;
  scripted host(folder / "x.sock",
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nConnection: close\r\n\r\nread", false);
  asio::io_context loop;
  client from(loop.get_executor(), unix_endpoint(folder / "x.sock"));
  const auto answer = run_task(loop, from.send({"PUT", "/archive", {}, std::string(8u << 20, 'x')}));
  INFO((answer ? "" : answer.error().message));
  REQUIRE(answer);
  CHECK(answer->status == 403);
  CHECK(answer->body == "read");
}

TEST_CASE("a deadline covers the whole exchange") {
  served host([](const request&, const peer&) -> task<response> {
    co_await pause(1h);
    co_return text_response(200, "");
  });
  client from(host.loop.get_executor(), unix_endpoint(host.path));
  const auto late = get(host.loop, from, "/slow?secret=1", {20ms, 100});
  CHECK(code_of(late) == "deadline-exceeded");
  CHECK(late.error().message == "cannot GET /slow at unix://" + host.path + ": no answer within 20 ms");
  CHECK(eventually(host.loop, [&] { return host.server.connections() == 0; }));
}
