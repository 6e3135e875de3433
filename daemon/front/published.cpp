#include "difyd/front/published.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "difyd/base/clock.hpp"
#include "difyd/base/durable_file.hpp"

namespace difyd::front {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr std::array<std::pair<answer, std::string_view>, 3> answer_names{{
    {answer::ok, "ok"},
    {answer::maintenance, "maintenance"},
    {answer::unavailable, "unavailable"},
}};

constexpr std::array<std::pair<situation, std::string_view>, 8> situation_names{{
    {situation::starting, "starting"},
    {situation::upgrading, "upgrading"},
    {situation::going_back, "going-back"},
    {situation::held, "held"},
    {situation::restoring, "restoring"},
    {situation::restore_held, "restore-held"},
    {situation::stopped, "stopped"},
    {situation::closed, "closed"},
}};

std::string_view name_of(answer value) {
  for (const auto& [each, name] : answer_names)
    if (each == value) return name;
  return "unavailable";
}

answer answer_of(const ordered_json& from, const char* key) {
  const auto text = from.at(key).get<std::string>();
  for (const auto& [each, name] : answer_names)
    if (name == text) return each;
  throw std::invalid_argument(text + " is no answer");
}

std::int64_t to_number(wall_time time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

wall_time from_number(std::int64_t number) { return wall_time(milliseconds(number)); }

situation situation_of(const std::string& text) {
  for (const auto& [each, name] : situation_names)
    if (name == text) return each;
  throw std::invalid_argument(text + " is no situation");
}

ordered_json maintenance_json(const maintenance_page& page) {
  return {{"address", page.address},
          {"port", page.port},
          {"health_path", page.health_path},
          {"why", to_text(page.why)},
          {"step", page.step},
          {"step_boot_ms", page.step_boot.count()},
          {"reason", page.reason},
          {"since_ms", to_number(page.since)},
          {"since_boot_ms", page.since_boot.count()},
          {"retry_after", page.retry_after},
          {"file", page.file}};
}

maintenance_page read_maintenance(const ordered_json& from) {
  maintenance_page page;
  page.address = from.at("address").get<std::string>();
  page.port = from.at("port").get<std::uint16_t>();
  page.health_path = from.value("health_path", "");
  page.why = situation_of(from.value("why", "starting"));
  page.step = from.value("step", "");
  page.step_boot = milliseconds(from.value("step_boot_ms", std::int64_t{}));
  page.reason = from.value("reason", "");
  page.since = from_number(from.value("since_ms", std::int64_t{}));
  page.since_boot = milliseconds(from.value("since_boot_ms", std::int64_t{}));
  page.retry_after = from.value("retry_after", page.retry_after);
  page.file = from.value("file", "");
  return page;
}

publication read_object(const ordered_json& from) {
  publication result;
  result.says.healthz = answer_of(from, "healthz");
  result.says.readyz = answer_of(from, "readyz");
  result.says.row = from.value("row", 0);
  result.says.reason = from.value("reason", "");
  const auto current = parse_phase(from.at("phase").get<std::string>());
  if (!current) throw std::invalid_argument("unknown phase");
  result.says.current = *current;
  result.says.judged = from_number(from.value("judged_ms", std::int64_t{}));
  result.readyz_in_maintenance = from.value("readyz_in_maintenance", 503) == 200 ? 200 : 503;
  result.status_for_all = from.value("status_for_all", false);
  result.published = milliseconds(from.value("published_boot_ms", std::int64_t{}));
  result.listen = from.value("listen", "");
  if (from.contains("maintenance")) result.maintenance = read_maintenance(from.at("maintenance"));
  return result;
}

}  // namespace

std::string_view to_text(situation value) {
  for (const auto& [each, name] : situation_names)
    if (each == value) return name;
  return "starting";
}

std::string to_json(const publication& value) {
  ordered_json out{{"healthz", name_of(value.says.healthz)},
                   {"readyz", name_of(value.says.readyz)},
                   {"row", value.says.row},
                   {"reason", value.says.reason},
                   {"phase", to_text(value.says.current)},
                   {"judged_ms", to_number(value.says.judged)},
                   {"published_boot_ms", value.published.count()},
                   {"readyz_in_maintenance", value.readyz_in_maintenance},
                   {"status_for_all", value.status_for_all}};
  if (!value.listen.empty()) out["listen"] = value.listen;
  if (value.maintenance) out["maintenance"] = maintenance_json(*value.maintenance);
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<publication> from_json(std::string_view text) {
  try {
    return read_object(ordered_json::parse(text));
  } catch (const std::exception& cause) {
    return fail("verdict-unreadable", std::string("cannot read the published verdict: ") + cause.what());
  }
}

Result<> publish(const std::string& path, publication value) {
  value.published = boot_time();
  return replace_file(path, to_json(value), 0644);
}

Result<publication> read_publication(const std::string& path) {
  const auto text = read_file(path, 64u << 10);
  if (!text) return std::unexpected(text.error());
  return from_json(*text);
}

}  // namespace difyd::front
