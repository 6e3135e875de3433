#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstdlib>
#include <cstring>

#include "catch.hpp"
#include "difyd/base/clock.hpp"
#include "difyd/base/text.hpp"
#include "difyd/front/answers.hpp"
#include "difyd/front/notify.hpp"
#include "difyd/front/published.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::front;
using namespace std::chrono_literals;

namespace {

publication example() {
  publication value;
  value.says = {answer::ok,       answer::maintenance,       4, "an upgrade is in progress",
                phase::upgrading, wall_time(1234567890123ms)};
  value.listen = "127.0.0.1:9180";
  value.readyz_in_maintenance = 200;
  value.maintenance = maintenance_page{"127.0.0.1",        8080,          "/lb", "Upgrade <1>",
                                       "step \"migrate\"", wall_time(5s), 15,    "/x.html"};
  return value;
}

class temporary_folder {
 public:
  temporary_folder() : path_("/tmp/difyd-front-" + random_hex(12)) { ::mkdir(path_.c_str(), 0700); }
  ~temporary_folder() {
    ::unlink(file().c_str());
    ::rmdir(path_.c_str());
  }
  std::string file() const { return path_ + "/verdict.json"; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("a publication survives its file") {
  const temporary_folder folder;
  REQUIRE(publish(folder.file(), example()));
  const auto read = read_publication(folder.file());
  REQUIRE(read);
  const auto wrote = example();
  CHECK(read->says.healthz == wrote.says.healthz);
  CHECK(read->says.readyz == wrote.says.readyz);
  CHECK(read->says.row == wrote.says.row);
  CHECK(read->says.reason == wrote.says.reason);
  CHECK(read->says.current == wrote.says.current);
  CHECK(read->says.judged == wrote.says.judged);
  CHECK(read->listen == wrote.listen);
  CHECK(read->readyz_in_maintenance == 200);
  CHECK(read->maintenance == wrote.maintenance);
  CHECK(boot_time() - read->published < 10s);
}

TEST_CASE("what is no publication is one error") {
  for (const char* text :
       {"", "{", "[]", "7", R"({"healthz":"ok"})", R"({"healthz":"x","readyz":"ok","phase":"serving"})",
        R"({"healthz":"ok","readyz":"ok","phase":"dreaming"})",
        R"({"healthz":"ok","readyz":"ok","phase":"serving","maintenance":{"port":-1}})",
        R"({"healthz":"ok","readyz":"ok","phase":"serving","row":"x"})"}) {
    INFO(text);
    const auto read = from_json(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == "verdict-unreadable");
  }
}

TEST_CASE("answers follow the verdict") {
  struct answer_case {
    answer healthz, readyz;
    int in_maintenance, healthz_status, readyz_status;
  };
  const answer_case cases[] = {{answer::ok, answer::ok, 503, 200, 200},
                               {answer::ok, answer::maintenance, 503, 200, 503},
                               {answer::ok, answer::maintenance, 200, 200, 200},
                               {answer::ok, answer::unavailable, 200, 200, 503},
                               {answer::unavailable, answer::unavailable, 200, 503, 503}};
  for (const auto& each : cases) {
    publication published;
    published.says.healthz = each.healthz;
    published.says.readyz = each.readyz;
    published.readyz_in_maintenance = each.in_maintenance;
    const auto made = make_answers(published);
    CHECK(made.healthz.status == each.healthz_status);
    CHECK(made.readyz.status == each.readyz_status);
  }
  CHECK(make_answers(std::nullopt).healthz.status == 200);
  CHECK(make_answers(std::nullopt).readyz.status == 503);
}

TEST_CASE("metrics name the phase and the age") {
  auto published = example();
  published.published = 1000ms;
  const auto text = make_metrics(published, 3500ms);
  for (const char* line :
       {"difyd_verdict_published 1\n", "difyd_phase{phase=\"upgrading\"} 1\n",
        "difyd_phase{phase=\"serving\"} 0\n", "difyd_verdict_age_seconds 2.5\n", "difyd_healthz_ok 1\n",
        "difyd_readyz_ok 0\n", "difyd_verdict_row 4\n", "# TYPE difyd_phase gauge\n"}) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(make_metrics(std::nullopt, 0ms).find("difyd_phase") == std::string::npos);
}

TEST_CASE("the page is HTML unless JSON is preferred") {
  const auto page = *example().maintenance;
  struct accept_case {
    const char* accept;
    bool json;
  };
  const accept_case cases[] = {{"", false},
                               {"*/*", false},
                               {"text/html,application/xhtml+xml,*/*;q=0.8", false},
                               {"application/json", true},
                               {"application/json, text/plain, */*", true},
                               {"Application/JSON;q=0.9", true},
                               {"text/html;q=0.5, application/json", true},
                               {"text/html, application/json;q=0.9", false},
                               {"application/json;q=0", false}};
  for (const auto& each : cases) {
    INFO(each.accept);
    const auto made = make_page(page, each.accept, "");
    CHECK(made.status == 503);
    CHECK((made.type == "application/json") == each.json);
  }
  const auto html = make_page(page, "", "").body;
  CHECK(html.find("Upgrade &lt;1&gt;") != std::string::npos);
  CHECK(html.find("<1>") == std::string::npos);
  CHECK(html.find("step &quot;migrate&quot;") != std::string::npos);
  CHECK(make_page(page, "application/json", "<p>").body.find("\"retry_after\":15") != std::string::npos);
  CHECK(make_page(page, "", "<p>own").body == "<p>own");
}

TEST_CASE("systemd is told over its datagram socket") {
  ::unsetenv("NOTIFY_SOCKET");
  CHECK_FALSE(notify("READY=1"));
  const std::string name = "difyd-notify-" + random_hex(12);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())) == 0);
  ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  CHECK(notify("READY=1\nSTATUS=here"));
  char buffer[64] = {};
  CHECK(::recv(socket, buffer, sizeof buffer - 1, 0) == 19);
  CHECK(std::string(buffer) == "READY=1\nSTATUS=here");
  ::close(socket);
  CHECK_FALSE(notify("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}

TEST_CASE("a port is waited for until its holder lets go") {
  asio::io_context loop;
  asio::ip::tcp::acceptor holder(loop, {asio::ip::address_v4::loopback(), 0});
  const auto port = holder.local_endpoint().port();
  const auto taken = run_task(wait_until_port_free("127.0.0.1", port, 50ms));
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == "port-taken");
  holder.close();
  CHECK(run_task(wait_until_port_free("127.0.0.1", port, 5s)));
  CHECK_FALSE(run_task(wait_until_port_free("nowhere", port, 5s)));
}
