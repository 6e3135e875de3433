#include "../../../daemon/supervisor/status_page.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "difyd/front/published.hpp"

using namespace difyd;
using namespace difyd::supervisor;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

control::status example() {
  control::status now;
  now.phase = "holding";
  now.message = "it <failed> & \"stopped\"";
  now.deployed = "1.11.4";
  now.healthz = "200";
  now.readyz = "503";
  now.options = {"difyd resume: tries it <again>", "no command at all"};
  now.findings = {
      {"disk", "disk-low", severity::warning, "3 GiB", "difyd report: writes it\nand look", true, {}},
      {"redis", "redis-away", severity::critical, "<b>", {}, false, {}}};
  now.started = "2026-11-21T16:54:21.285Z";
  return now;
}

}  // namespace

TEST_CASE("the page escapes whatever it shows and has its mark for the age once") {
  const auto page = status_page(example(), {});
  CHECK(has(page, "it &lt;failed&gt; &amp; &quot;stopped&quot;"));
  CHECK(has(page, "tries it &lt;again&gt;"));
  CHECK(has(page, "<p>&lt;b&gt;</p>"));
  CHECK_FALSE(has(page, "<failed>"));
  CHECK(page.find(front::age_mark) == page.rfind(front::age_mark));
  CHECK(has(page, front::age_mark));
  CHECK_FALSE(has(page, "<script"));
}

TEST_CASE("commands are told from what they do, the worst finding is first") {
  const auto page = status_page(example(), {});
  CHECK(has(page, "<code>difyd resume</code> tries it"));
  CHECK(has(page, "<li>no command at all</li>"));
  CHECK(has(page, "<code>difyd report</code> writes it</li>"));
  CHECK(has(page, "A new machine would cure it."));
  CHECK(page.find("redis-away") < page.find("disk-low"));
  CHECK(has(page, "2026-11-21 16:54:21 UTC"));
  auto well = example();
  well.findings.clear();
  CHECK(has(status_page(well, {}), "Nothing is wrong."));
}

TEST_CASE("ten past upgrades are shown, the newest first; JSON has them all") {
  std::vector<control::past_upgrade> history;
  for (int i = 1; i <= 12; ++i) {
    control::past_upgrade past;
    past.to = "1.0." + std::to_string(i);
    past.result = "done";
    past.seconds = 61;
    history.push_back(past);
  }
  const auto page = status_page(example(), history);
  CHECK(has(page, "installed 1.0.12"));
  CHECK(has(page, "installed 1.0.3<"));
  CHECK_FALSE(has(page, "installed 1.0.2<"));
  CHECK(page.find("1.0.12") < page.find("1.0.11"));
  CHECK(has(page, "1 min 1 s"));
  const auto json = nlohmann::json::parse(status_json(example(), history));
  CHECK(json.at("history").size() == 12);
  CHECK(json.at("phase") == "holding");
  CHECK(json.at("findings").size() == 2);
}
