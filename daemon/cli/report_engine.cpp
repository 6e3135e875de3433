// The containers of the project: as the engine sees them, and what they have said last.
#include <nlohmann/json.hpp>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/secret.hpp"
#include "difyd/engine/client.hpp"
#include "difyd/http/client.hpp"
#include "difyd/stack/labels.hpp"
#include "report_parts.hpp"

namespace difyd::cli {
namespace {

using namespace std::chrono_literals;
using json = nlohmann::ordered_json;

constexpr int last_lines = 500;

std::string pretty(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

struct asked {
  http::client client;
  report_parts parts;
};

// GET as the engine answers it; null where it does not.
task<json> ask(asked& of, std::string path, std::string name) {
  auto answer = co_await of.client.send({"GET", std::move(path), {}, {}}, {15s, 16u << 20});
  if (!answer) {
    of.parts.push_back({std::move(name), answer.error().message + "\n"});
    co_return json();
  }
  auto value = json::parse(answer->body, nullptr, false);
  of.parts.push_back({std::move(name), value.is_discarded() ? answer->body : pretty(value)});
  co_return value;
}

// NAME=value of a container, or of an .env file.
void learn(redactor& secrets, const std::string& line) {
  const auto equals = line.find('=');
  if (equals == std::string::npos || !config::names_secret(trim(line.substr(0, equals)))) return;
  auto value = std::string(trim(line.substr(equals + 1)));
  if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
    value = value.substr(1, value.size() - 2);
  secrets.add(value);
}

void learn_file(redactor& secrets, const std::string& path) {
  if (const auto text = read_file(path, 1u << 20))
    for (const auto& line : split(*text, '\n')) learn(secrets, line);
}

// What its environment names as secrets is taken out of everything.
std::string inspected(json container, redactor& secrets) {
  if (!container.is_object() || !container.contains("Config")) return pretty(container);
  const auto environment = container.at("Config").value("Env", json::array());
  for (const auto& line : environment)
    if (line.is_string()) learn(secrets, line.get<std::string>());
  const auto folder = container.value(
      json::json_pointer("/Config/Labels/com.docker.compose.project.working_dir"), std::string());
  if (!folder.empty()) learn_file(secrets, folder + "/.env");
  return pretty(container);
}

task<std::string> last_words(engine::client& engine, std::string id) {
  engine::log_options options;
  options.timestamps = true;
  options.tail = last_lines;
  auto stream = co_await engine.containers.logs(std::move(id), options, {}, 10s);
  if (!stream) co_return stream.error().message + "\n";
  std::string text;
  for (;;) {
    auto piece = co_await stream->next(10s);
    if (!piece) co_return text + piece.error().message + "\n";
    if (!*piece) co_return bounded(std::move(text));
    text += (*piece)->bytes;
  }
}

}  // namespace

task<report_parts> engine_parts(config::settings settings, redactor* secrets) {
  const auto where = settings.engine_host.empty() ? engine::endpoint_from_environment()
                                                  : http::parse_endpoint(settings.engine_host);
  if (!where) co_return report_parts{{"engine/error.txt", where.error().message + "\n"}};
  const auto executor = co_await asio::this_coro::executor;
  asked of{http::client(executor, *where), {}};
  const auto version = co_await ask(of, "/version", "engine/version.json");
  if (version.is_null()) co_return std::move(of.parts);
  (void)co_await ask(of, "/info", "engine/info.json");
  engine::client engine(executor, *where);
  engine::container_filter filter;
  const std::string project = settings.project.empty() ? "dify" : settings.project;
  filter.labels = {std::string(stack::label::project) + "=" + project};
  const auto found = co_await engine.containers.list(filter, 15s);
  if (!found) {
    of.parts.push_back({"containers/error.txt", found.error().message + "\n"});
    co_return std::move(of.parts);
  }
  for (const auto& each : *found) {
    const std::string name =
        "containers/" + (each.names.empty() ? each.id.substr(0, 12) : each.names.front());
    auto container = co_await ask(of, "/containers/" + each.id + "/json", name + ".json");
    of.parts.back().text = inspected(std::move(container), *secrets);
    of.parts.push_back({name + ".log", co_await last_words(engine, each.id)});
  }
  co_return std::move(of.parts);
}

}  // namespace difyd::cli
