#include "../../../daemon/supervisor/metrics.hpp"

#include "../../../daemon/supervisor/metric_text.hpp"
#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

metric_facts example() {
  metric_facts facts;
  facts.status.program_version = "0.1.0";
  facts.status.project = "dify";
  facts.status.deployed = "1.11.4";
  facts.status.wanted = "1.12.1";
  facts.status.revision = "905527cc8fd3";
  control::service_status api;
  api.service = "api";
  api.ready = true;
  control::service_status web;
  web.service = "web";
  facts.status.services = {api, web};
  facts.counts.restarts = {{"web", 3}, {"gone", 7}};
  facts.findings = {{"storage", "storage-ok", severity::ok, {}, {}, false, {}},
                    {"redis", "redis-away", severity::error, {}, {}, false, {}},
                    {"redis", "redis-away", severity::error, {}, {}, false, {}}};
  facts.probes = {{"all", {1500ms, wall_time(1234567890s)}}};
  facts.started = wall_time(1234567000s);
  facts.lease_held = true;
  return facts;
}

}  // namespace

TEST_CASE("a family has help, type and samples, and labels are escaped") {
  metric_text out;
  out.gauge("difyd_x", "Some help.");
  out.sample(1.5, {{"a", "b\"c\\d\ne"}, {"f", ""}});
  out.counter("difyd_y_total", "More.");
  out.sample(12345678901234);
  CHECK(out.text() ==
        "# HELP difyd_x Some help.\n# TYPE difyd_x gauge\ndifyd_x{a=\"b\\\"c\\\\d\\ne\",f=\"\"} 1.5\n"
        "# HELP difyd_y_total More.\n# TYPE difyd_y_total counter\ndifyd_y_total 12345678901234\n");
}

TEST_CASE("metrics of a stack that serves") {
  const auto text = metrics_of(example());
  for (const char* line :
       {"difyd_build_info{version=\"0.1.0\"} 1",
        "difyd_dify_info{project=\"dify\",version=\"1.11.4\",wanted=\"1.12.1\",schema_revision="
        "\"905527cc8fd3\"} 1",
        "difyd_lease_held 1", "difyd_maintenance_on 0", "difyd_service_ready{service=\"api\"} 1",
        "difyd_service_ready{service=\"web\"} 0", "difyd_service_restarts_total{service=\"web\"} 3",
        "difyd_service_restarts_total{service=\"api\"} 0", "difyd_findings{severity=\"ok\"} 1",
        "difyd_findings{severity=\"error\"} 2", "difyd_probe_duration_seconds{probe=\"all\"} 1.5",
        "difyd_probe_last_run_timestamp_seconds{probe=\"all\"} 1234567890",
        "difyd_start_time_seconds 1234567000", "difyd_upgrade_running 0",
        "difyd_upgrade_step{step=\"migrate\"} 0", "difyd_history_upgrades{result=\"held\"} 0",
        "difyd_finding{subject=\"redis\",code=\"redis-away\",severity=\"error\"} 1"}) {
    INFO(line << "\n" << text);
    CHECK(has(text, line));
  }
  CHECK(count(text, "difyd_finding{") == 1);  // the same one twice is one series
  CHECK(count(text, "gone") == 0);            // a service that no release has any more
  CHECK(count(text, "difyd_last_upgrade") == 0);
  CHECK(count(text, "difyd_newest_backup") == 0);
}

TEST_CASE("metrics of an upgrade under way, and of the last one") {
  auto facts = example();
  control::operation_status upgrade;
  upgrade.kind = "upgrade";
  upgrade.steps = {
      {"stop", "done", {}, 4, {}}, {"start", "failed", {}, 2, {}}, {"start", "begun", {}, 1.5, {}}};
  facts.status.operation = upgrade;
  auto text = metrics_of(facts);
  CHECK(has(text, "difyd_upgrade_running 1"));
  CHECK(has(text, "difyd_upgrade_step{step=\"start\"} 1"));
  CHECK(has(text, "difyd_upgrade_step{step=\"stop\"} 0"));
  CHECK(has(text, "difyd_upgrade_step_duration_seconds{step=\"start\"} 3.5"));
  facts.status.operation->result = "held";
  text = metrics_of(facts);
  CHECK(has(text, "difyd_upgrade_held 1"));
  CHECK(has(text, "difyd_upgrade_running 0"));
  facts.status.operation.reset();
  control::past_upgrade past;
  past.result = "done";
  past.seconds = 20;
  past.downtime_seconds = 8.5;
  past.steps = {{"migrate", "done", {}, 3, {}}};
  facts.history = {past};
  text = metrics_of(facts);
  CHECK(has(text, "difyd_history_upgrades{result=\"done\"} 1"));
  CHECK(has(text, "difyd_last_upgrade_downtime_seconds 8.5"));
  CHECK(has(text, "difyd_upgrade_step_duration_seconds{step=\"migrate\"} 3"));
}

TEST_CASE("a thousand findings are a hundred series") {
  auto facts = example();
  facts.findings.clear();
  for (int i = 0; i < 1000; ++i)
    facts.findings.push_back(
        {"service.x" + std::to_string(i), "service-missing", severity::warning, {}, {}, false, {}});
  const auto text = metrics_of(facts);
  CHECK(count(text, "difyd_finding{") == 100);
  CHECK(has(text, "difyd_findings{severity=\"warning\"} 1000"));
}
