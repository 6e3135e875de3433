#include "page.hpp"

#include <charconv>

#include "difyd/release/roles.hpp"
#include "judging.hpp"

namespace difyd::supervisor {

std::optional<std::uint16_t> published_port(const compose::project& project) {
  const auto nginx = project.services.find(release::nginx_service(project));
  if (nginx == project.services.end()) return std::nullopt;
  for (const auto& port : nginx->second.ports) {
    std::uint16_t number = 0;
    const auto& text = port.published;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // The second port that nginx publishes is TLS: nothing that we could answer there.
    if (error == std::errc() && end == text.data() + text.size() && port.target != 443) return number;
  }
  return std::nullopt;
}

std::optional<front::maintenance_page> maintenance_page_of(const config::settings& settings,
                                                           const release::release& serving,
                                                           const version& to) {
  const auto port = published_port(serving.project);
  if (!settings.maintenance.page || !port) return std::nullopt;
  front::maintenance_page page;
  page.port = *port;
  if (settings.maintenance.answer_health_path) page.health_path = settings.maintenance.health_path;
  page.title = "Dify is being upgraded";
  page.detail = "The upgrade to " + to.text() + " is under way.";
  page.since = std::chrono::system_clock::now();
  page.retry_after = static_cast<int>(
      std::chrono::duration_cast<std::chrono::seconds>(settings.maintenance.retry_after).count());
  page.file = settings.maintenance.page_file;
  return page;
}

task<Result<>> take_page_down(world& w, const release::release& what) {
  const auto port = published_port(what.project);
  if (!*w.page.get() || !port) co_return Result<>{};
  w.page.set(std::nullopt);
  publish_now(w);
  co_return co_await front::wait_until_port_free("0.0.0.0", *port, std::chrono::seconds(10));
}

}  // namespace difyd::supervisor
