#include "migrator.hpp"

#include "difyd/base/text.hpp"
#include "difyd/release/roles.hpp"

namespace difyd::supervisor {

// client_connection_check_interval is PostgreSQL 14's.
std::string migrator_extras(const std::string& present, int server_version) {
  std::string extras = "options=-c%20statement_timeout=0%20-c%20lock_timeout=60s";
  if (server_version >= 140000) extras += "%20-c%20client_connection_check_interval=5s";
  extras += "&keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=3";
  std::string kept;
  for (const auto& part : split(present, '&'))
    if (!part.empty() && part.rfind("options=", 0) != 0 && part.rfind("keepalives", 0) != 0)
      kept += part + "&";
  return kept + extras;
}

stack::job_spec migrator_spec(const compose::project& project, const std::string& container,
                              const std::string& session, int server_version) {
  const auto api = release::api_service(project);
  const auto& environment = project.services.at(api).environment;
  const auto extras = environment.find("DB_EXTRAS");
  const std::string present = extras != environment.end() && extras->second ? *extras->second : "";
  stack::job_spec job;
  job.service = api;
  job.name = container;
  job.entrypoint = compose::text_list{"flask"};
  job.command = compose::text_list{"db", "upgrade"};
  job.environment = {{"MIGRATION_ENABLED", "false"},
                     {"PGAPPNAME", session},
                     {"DB_EXTRAS", migrator_extras(present, server_version)}};
  job.network = "default";
  return job;
}

void line_splitter::feed(std::string_view bytes) {
  rest_ += bytes;
  for (std::size_t end; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1))
    tell_(rest_.substr(0, end));
}

std::string cause_line(const std::string& output) {
  const auto lines = split(trim(output), '\n');
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const std::string first = line->substr(0, line->find(' '));
    if (first.ends_with("Error:") || first.ends_with("Exception:")) return line->substr(0, 300);
  }
  return lines.empty() ? std::string() : std::string(trim(lines.back())).substr(0, 300);
}

}  // namespace difyd::supervisor
