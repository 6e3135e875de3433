#include "cloudsql_rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "difyd/base/task.hpp"
#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using json = nlohmann::json;

constexpr auto poll = 5s, busy = 20s;
constexpr int patience = 8;  // errors in a row that may pass: some five minutes

std::string text_of(const json& tree, const char* key) {
  const auto found = tree.find(key);
  if (found == tree.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// {"error": {"message", "errors": [{"reason"}]}}
std::string cause_of(const json& tree) {
  const auto error = tree.find("error");
  if (error == tree.end() || !error->is_object()) return {};
  return text_of(*error, "message");
}

bool has_reason(const json& tree, std::string_view reason) {
  return tree.dump().find("\"" + std::string(reason) + "\"") != std::string::npos;
}

json parsed(const cloud_answer& got) {
  auto tree = json::parse(got.body, nullptr, false);
  return tree.is_object() ? tree : json::object();
}

}  // namespace

Result<cloud_instance> parse_instance(const std::string& text) {
  auto parts = split(text, ':');
  // Projects of a domain have a colon of their own: example.com:project.
  cloud_instance instance;
  if (parts.size() >= 2) {
    const bool domain = parts.front().find('.') != std::string::npos && parts.size() >= 3;
    instance.project = domain ? parts[0] + ":" + parts[1] : parts[0];
    instance.name = parts.back();
    const std::size_t most = domain ? 4 : 3;
    const auto allowed = [](const std::string& part, const char* extra) {
      return !part.empty() && std::ranges::all_of(part, [&](char c) {
        return std::islower(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c)) ||
               c == '-' || std::string_view(extra).find(c) != std::string_view::npos;
      });
    };
    if (parts.size() <= most && allowed(instance.project, ".:") && allowed(instance.name, ""))
      return instance;
  }
  return fail("config-invalid", text + " names no Cloud SQL instance",
              "Write PROJECT:INSTANCE, or its connection name PROJECT:REGION:INSTANCE");
}

std::string name_of(const cloud_instance& instance) { return instance.project + ":" + instance.name; }

cloud_backup::cloud_backup(cloud_instance instance, std::string description, clock::time_point begun,
                           std::chrono::seconds limit)
    : instance_(std::move(instance)),
      description_(std::move(description)),
      deadline_(begun + limit),
      limit_(limit) {
  run_.instance = name_of(instance_);
}

std::string cloud_backup::root() const { return "/v1/projects/" + percent_encode(instance_.project); }

cloud_backup::request cloud_backup::next() const {
  const std::string runs = root() + "/instances/" + instance_.name + "/backupRuns";
  switch (asks_) {
    case asks::runs:
      return {"GET", runs + "?maxResults=20", {}, wait_};
    case asks::insert:
      return {"POST", runs, json{{"description", description_}}.dump(), wait_};
    case asks::operation:
      return {"GET", root() + "/operations/" + percent_encode(operation_), {}, wait_};
    case asks::run:
      break;
  }
  return {"GET", runs + "/" + run_.id, {}, wait_};
}

void cloud_backup::failed(std::string code, std::string cause, std::string remedy) {
  state_ = state::failed;
  error_ = {std::move(code),
            "cannot take a backup of Cloud SQL instance " + name_of(instance_) + ": " + cause,
            std::move(remedy)};
}

void cloud_backup::later(std::chrono::seconds wait, asks what, std::string news) {
  wait_ = wait;
  asks_ = what;
  news_ = std::move(news);
}

std::string cloud_backup::news() { return std::exchange(news_, {}); }

void cloud_backup::refused(const cloud_answer& got, clock::time_point now) {
  const auto tree = parsed(got);
  const auto cause = cause_of(tree);
  const std::string said =
      (got.status == 0 ? got.body : std::to_string(got.status)) + (cause.empty() ? "" : ": " + cause);
  if (got.status == 409) {
    // What was asked for may be what is under way: an answer can be lost.
    later(busy, asks::runs, name_of(instance_) + " is busy with another operation; waiting for its end");
    return;
  }
  if (got.status == 401 && !token_was_refused_) {
    token_was_refused_ = true;
    later(0s, asks_);
    return;
  }
  if (got.status == 401)
    return failed("cloudsql-denied", said, "The machine's service account needs the scope cloud-platform");
  if (got.status == 403 && has_reason(tree, "accessNotConfigured"))
    return failed("cloudsql-denied", said, "Enable it: gcloud services enable sqladmin.googleapis.com");
  const bool rate = got.status == 429 || (got.status == 403 && (has_reason(tree, "rateLimitExceeded") ||
                                                                has_reason(tree, "userRateLimitExceeded")));
  if (got.status == 403 && !rate)
    return failed("cloudsql-denied", said,
                  "Give the machine's service account a role with cloudsql.backupRuns.create, "
                  "cloudsql.backupRuns.get, cloudsql.backupRuns.list and cloudsql.instances.get");
  if (got.status == 404)
    return failed("cloudsql-unknown", said, "Look at upgrade.cloudsql_instances: gcloud sql instances list");
  if (got.status != 0 && !rate && got.status < 500) return failed("cloudsql-failed", said);
  if (++errors_ > patience) return failed("cloudsql-failed", said, "Try again later");
  const auto wait = std::min<std::chrono::seconds>(60s, std::chrono::seconds(1 << errors_));
  later(wait, asks_ == asks::insert ? asks::runs : asks_,
        "the Cloud SQL Admin API answers " + said + "; asking again");
  (void)now;
}

void cloud_backup::read_runs(const cloud_answer& got) {
  const auto tree = parsed(got);
  const auto items = tree.find("items");
  if (items != tree.end() && items->is_array())
    for (const auto& each : *items) {
      if (!each.is_object() || text_of(each, "description") != description_) continue;
      const auto status = text_of(each, "status");
      if (status != "SUCCESSFUL" && status != "ENQUEUED" && status != "RUNNING" && status != "OVERDUE")
        continue;
      run_.id = text_of(each, "id");
      return later(0s, asks::run);
    }
  later(0s, asks::insert);
}

void cloud_backup::read_operation(const cloud_answer& got) {
  const auto tree = parsed(got);
  if (asks_ == asks::insert) operation_ = text_of(tree, "name");
  if (operation_.empty())
    return failed("cloudsql-failed", "its answer names no operation: " + got.body.substr(0, 200));
  const auto status = text_of(tree, "status");
  if (status != "DONE")
    return later(poll, asks::operation,
                 asks_ == asks::insert
                     ? "backup of " + name_of(instance_) + " is under way (operation " + operation_ + ")"
                     : "");
  const auto error = tree.find("error");
  if (error != tree.end() && error->is_object()) {
    std::string causes;
    const auto list = error->find("errors");
    if (list != error->end() && list->is_array())
      for (const auto& each : *list)
        causes += (causes.empty() ? "" : ", ") + text_of(each, "code") + ": " + text_of(each, "message");
    return failed("cloudsql-failed", causes.empty() ? error->dump().substr(0, 200) : causes);
  }
  const auto context = tree.find("backupContext");
  if (context != tree.end() && context->is_object()) run_.id = text_of(*context, "backupId");
  // Named by its description where the operation does not name it.
  later(0s, run_.id.empty() ? asks::runs : asks::run);
}

void cloud_backup::read_run(const cloud_answer& got) {
  const auto tree = parsed(got);
  const auto status = text_of(tree, "status");
  if (status == "SUCCESSFUL") {
    run_.ended = text_of(tree, "endTime");
    state_ = state::done;
    return;
  }
  if (status == "ENQUEUED" || status == "RUNNING" || status == "OVERDUE" || status.empty())
    return later(poll, asks::run);
  const auto error = tree.find("error");
  const auto cause =
      error == tree.end() || !error->is_object() ? std::string() : ": " + text_of(*error, "message");
  failed("cloudsql-failed", "backup run " + run_.id + " is " + status + cause,
         status == "SKIPPED" ? "The instance must be running: gcloud sql instances describe " + instance_.name
                             : "");
}

void cloud_backup::answer(const cloud_answer& got, clock::time_point now) {
  if (state_ != state::asking) return;
  if (now >= deadline_)
    return failed("cloudsql-timeout", "not within " + to_text(std::chrono::milliseconds(limit_)),
                  "upgrade.backup_timeout bounds it");
  if (got.status < 200 || got.status >= 300) return refused(got, now);
  errors_ = 0;
  token_was_refused_ = false;
  if (asks_ == asks::runs) return read_runs(got);
  if (asks_ == asks::run) return read_run(got);
  read_operation(got);
}

std::string restore_commands(const std::vector<cloud_run>& runs, const cloud_restore& what) {
  std::string text = "difyd down: stops Dify; nothing else changes\n";
  for (const auto& each : runs) {
    const auto instance = parse_instance(each.instance).value_or(cloud_instance{});
    text += "gcloud sql backups restore " + each.id + " --project=" + instance.project +
            " --restore-instance=" + instance.name + ": puts the whole instance back as it was at " +
            each.ended + "; what was written since is lost to it\n";
  }
  text += "difyd repin " + what.of + ": proves that the database is that of " + what.of + ", and starts it";
  if (what.writes_stopped.empty() || runs.empty()) return text;
  const auto first = parse_instance(runs.front().instance).value_or(cloud_instance{});
  return text +
         "\nWith point-in-time recovery nothing is lost, into a new instance: gcloud sql instances clone " +
         first.name + " NEW --project=" + first.project + " --point-in-time=" + what.writes_stopped;
}

}  // namespace difyd::supervisor
