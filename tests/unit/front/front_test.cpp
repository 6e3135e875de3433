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
  value.status_for_all = true;
  maintenance_page page;
  page.address = "127.0.0.1";
  page.port = 8080;
  page.health_path = "/lb";
  page.why = situation::upgrading;
  page.step = "migrate";
  page.step_boot = 60s;
  page.reason = "because of <b>\"this\"";
  page.since = wall_time(1234567890s);
  page.since_boot = 10s;
  page.retry_after = 15;
  page.file = "/x.html";
  value.maintenance = page;
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
  CHECK(read->status_for_all);
  CHECK(read->maintenance == wrote.maintenance);
  CHECK(boot_time() - read->published < 10s);
}

TEST_CASE("what is no publication is one error") {
  for (const char* text :
       {"", "{", "[]", "7", R"({"healthz":"ok"})", R"({"healthz":"x","readyz":"ok","phase":"serving"})",
        R"({"healthz":"ok","readyz":"ok","phase":"dreaming"})",
        R"({"healthz":"ok","readyz":"ok","phase":"serving","maintenance":{"port":-1}})",
        R"({"healthz":"ok","readyz":"ok","phase":"serving","maintenance":{"address":"","port":1,"why":"x"}})",
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
  const auto text = make_metrics(published, 3500ms, "difyd_more 1\n");
  for (const char* line :
       {"difyd_verdict_published 1\n", "difyd_phase{phase=\"upgrading\"} 1\n",
        "difyd_phase{phase=\"serving\"} 0\n", "difyd_verdict_age_seconds 2.5\n", "difyd_healthz_ok 1\n",
        "difyd_readyz_ok 0\n", "difyd_more 1\n", "difyd_verdict_row 4\n", "# TYPE difyd_phase gauge\n"}) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(make_metrics(std::nullopt, 0ms, {}).find("difyd_phase") == std::string::npos);
}

TEST_CASE("the page is HTML unless JSON is preferred") {
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
                               {"application/*, text/html;q=0.9", true},
                               {"text/*;q=0.3, application/json;q=0.2", false},
                               {"application/json;q=x", false},
                               {"application/json;q=nan", false},
                               {"application/json;charset=utf-8;q=1.0, text/html;q=0.999", true},
                               {";;;,,,q=1", false},
                               {"application/json;q=0", false}};
  for (const auto& each : cases) {
    INFO(each.accept);
    CHECK((form_of(each.accept) == form::json) == each.json);
  }
}

TEST_CASE("the language is the one that is preferred") {
  struct language_case {
    const char* accept;
    bool japanese;
  };
  const language_case cases[] = {{"", false},
                                 {"ja", true},
                                 {"ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", true},
                                 {"en-US,en;q=0.9,ja;q=0.8", false},
                                 {"JA-jp;q=0.4, en;q=0.3", true},
                                 {"en;q=0.3, ja;q=0.4", true},
                                 {"ja, en", true},
                                 {"en, ja", false},
                                 {"fr, ja;q=0.5", true},
                                 {"fr, *;q=0.5", false},
                                 {"*, ja", true},
                                 {"ja;q=0", false},
                                 {"ja;q=0, *", false},
                                 {"jam", false},
                                 {"zh-CN,zh;q=0.9", false}};
  for (const auto& each : cases) {
    INFO(each.accept);
    CHECK((language_of(each.accept) == language::japanese) == each.japanese);
  }
}

TEST_CASE("the page says what is going on, escaped, in both languages and forms") {
  const auto page = *example().maintenance;
  const auto all = make_pages(page, "", 100s);
  const auto& html = choose(all, "text/html", "en");
  CHECK(html.status == 503);
  CHECK(html.type == "text/html; charset=utf-8");
  for (const char* part :
       {"<html lang=\"en\">", "Dify is being upgraded", "because of &lt;b&gt;&quot;this&quot;",
        "2009-02-13 23:31 UTC", "1 min 30 s so far", "every 15 seconds",
        "<li class=\"now\"><i></i><span>Migrating the database<span class=\"hidden\"> "
        "(now)</span></span><b>40 s</b></li>",
        "<li class=\"done\"><i></i><span>Taking a backup",
        "<li class=\"later\"><i></i><span>Starting the new version"}) {
    INFO(part << "\n" << html.body);
    CHECK(html.body.find(part) != std::string::npos);
  }
  CHECK(html.body.find("<script") == std::string::npos);
  const auto& japanese = choose(all, "text/html", "ja");
  for (const char* part :
       {"<html lang=\"ja\">", "Dify をアップグレードしています", "40 秒", "1 分 30 秒", "15 秒ごとに"}) {
    INFO(part);
    CHECK(japanese.body.find(part) != std::string::npos);
  }
  const auto& json = choose(all, "application/json", "");
  CHECK(json.type == "application/json");
  for (const char* part : {"\"code\":\"maintenance\"", "\"retry_after\":15", "\"step\":\"migrate\"",
                           "\"step_seconds\":40.0", "\"seconds\":90.0", "\"situation\":\"upgrading\""}) {
    INFO(part << "\n" << json.body);
    CHECK(json.body.find(part) != std::string::npos);
  }
  CHECK(choose(all, "application/json", "ja").body.find("アップグレード") != std::string::npos);
}

TEST_CASE("every situation has words in both languages, and steps only while something moves") {
  for (int i = 0; i <= static_cast<int>(situation::closed); ++i) {
    maintenance_page page;
    page.why = static_cast<situation>(i);
    page.step = "migrate";
    const auto all = make_pages(page, "", 1s);
    const auto& english = choose(all, "", "en").body;
    const auto& japanese = choose(all, "", "ja").body;
    INFO(to_text(page.why));
    CHECK(english.find("<h1>Dify is ") != std::string::npos);
    CHECK(japanese.find("<h1>Dify ") != std::string::npos);
    CHECK(japanese.find("<h1>Dify is ") == std::string::npos);
    CHECK((english.find("<ol>") != std::string::npos) == (page.why == situation::upgrading));
  }
}

TEST_CASE("an operator's page is shown as it is, and programs still get JSON") {
  const auto all = make_pages(*example().maintenance, "<p>own", 1s);
  CHECK(choose(all, "text/html", "ja").body == "<p>own");
  CHECK(choose(all, "application/json", "").body.find("\"code\"") != std::string::npos);
}

TEST_CASE("a clock of the machine that is set changes no age, and a time to come is none") {
  maintenance_page page;
  page.why = situation::upgrading;
  page.step = "stop";
  page.step_boot = 50s;
  page.since_boot = 50s;
  page.since = wall_time(1s);
  const auto all = make_pages(page, "", 20s);
  CHECK(choose(all, "", "").body.find("<b>0 s</b>") != std::string::npos);
  publication published;
  published.published = 50s;
  CHECK(age_of(published, 20s) == 0ms);
}

TEST_CASE("the published status gets the age of the verdict") {
  publication published;
  published.published = 10s;
  const std::optional<publication> verdict = published;
  CHECK(make_status("{\"phase\":\"serving\"}", verdict, 12500ms) ==
        "{\"verdict_age_seconds\":2.5,\"phase\":\"serving\"}");
  CHECK(make_status("{}\n", verdict, 10s) == "{\"verdict_age_seconds\":0.0}\n");
  CHECK(make_status("{\"a\":1}", std::nullopt, 10s) == "{\"verdict_age_seconds\":null,\"a\":1}");
  CHECK(make_status("", verdict, 10s).empty());
  CHECK(make_status("[1]", verdict, 10s).empty());
  const std::string page = "<h1>x</h1>" + std::string(age_mark) + "<p>";
  CHECK(make_status_page(page, verdict, 13s) == "<h1>x</h1><p class=\"fresh\">as of 3 s ago</p><p>");
  const auto stale = make_status_page(page, verdict, 200s);
  CHECK(stale.find("difyd has not said anything for 3 min") != std::string::npos);
  CHECK(make_status_page("no mark", verdict, 13s) == "no mark");
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
