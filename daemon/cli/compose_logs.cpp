// `difyd compose logs`, and what `up` without -d shows.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "compose_session.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/stack/watch.hpp"

namespace difyd::cli {
namespace {

// "2026-11-20T10:00:00.5+01:00" as seconds since 1970 with fraction, which is all that the engine
// takes; empty for what is no such time. Without a zone it is UTC.
std::string seconds_from_rfc3339(const std::string& text) {
  std::tm time{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (rest == nullptr) rest = ::strptime(text.c_str(), "%Y-%m-%d", &time);
  if (rest == nullptr) return {};
  std::string fraction;
  if (*rest == '.')
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest) fraction += *rest;
  int hours = 0, minutes = 0;
  if ((*rest == '+' || *rest == '-') && std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2) return {};
  const int zone = (hours * 60 + minutes) * (*rest == '-' ? -60 : 60);
  return std::to_string(::timegm(&time) - zone) + (fraction.empty() ? "" : "." + fraction);
}

// "10m" and the like, and times of day, become a moment; anything else goes to the engine as it is.
std::string moment_from(const std::string& text) {
  if (const auto seconds = seconds_from_rfc3339(text); !seconds.empty()) return seconds;
  double value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest + 1 != text.data() + text.size()) return text;
  const double unit = *rest == 's' ? 1 : *rest == 'm' ? 60 : *rest == 'h' ? 3600 : 0;
  if (unit == 0) return text;
  return std::to_string(static_cast<std::int64_t>(static_cast<double>(std::time(nullptr)) - value * unit));
}

// A container that is being restarted is down for a moment, which is not the end.
constexpr duration restart_gap = std::chrono::seconds(2);

class log_printer {
 public:
  log_printer(engine::client& engine, std::string project, compose_options options,
              asio::any_io_executor executor)
      : engine_(engine),
        project_(std::move(project)),
        options_(std::move(options)),
        colors_(options_.ansi == "always" || (options_.ansi == "auto" && ::isatty(STDOUT_FILENO) == 1)),
        group_(executor),
        ended_(executor, asio::steady_timer::time_point::max()) {}

  task<Result<>> once() {
    auto now = co_await stack::observe(engine_, project_);
    if (!now) co_return std::unexpected(now.error());
    widen(*now);
    for (const auto& c : now->containers)
      if (chosen(c)) {
        auto done = co_await print(c, options_.tail, moment_from(options_.since));
        if (!done) co_return done;
      }
    co_return Result<>{};
  }

  // True when a signal ended it.
  task<bool> follow(bool interruptible) {
    bool signalled = false;
    asio::signal_set signals(co_await asio::this_coro::executor);
    if (interruptible) {
      signals.add(SIGINT);
      signals.add(SIGTERM);
      signals.async_wait([&](boost::system::error_code error, int) {
        if (error) return;
        signalled = true;
        ended_.cancel();
      });
    }
    stack::watch_options how;
    how.on_observed = [this](const stack::observed& now) { join(now); };
    how.on_event = [this](const stack::container_event& e) {
      if (e.action == "start" && !e.one_off && (options_.services.empty() || selected(e.service))) begin(e);
    };
    group_.spawn("watch", stack::watch(engine_, project_, std::move(how)));
    boost::system::error_code woken;
    co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    group_.cancel();
    co_await group_.join();
    signals.cancel();
    co_return signalled;
  }

 private:
  bool selected(const std::string& service) const {
    return std::find(options_.services.begin(), options_.services.end(), service) != options_.services.end();
  }
  bool chosen(const stack::observed_container& c) const {
    return !c.one_off && c.state != "created" && (options_.services.empty() || selected(c.service));
  }

  void widen(const stack::observed& now) {
    for (const auto& c : now.containers)
      if (chosen(c)) width_ = std::max(width_, short_name(c.name).size());
  }

  std::string short_name(const std::string& name) const {
    return name.starts_with(project_ + "-") ? name.substr(project_.size() + 1) : name;
  }

  void join(const stack::observed& now) {
    widen(now);
    const bool first = std::exchange(first_look_, false);
    for (const auto& c : now.containers) {
      if (!chosen(c) || following_.contains(c.id) || (!first && !c.running())) continue;
      spawn(c, first ? options_.tail : "", first ? moment_from(options_.since) : end_before(c.finished_at));
    }
    running_ = std::any_of(now.containers.begin(), now.containers.end(), [&](const auto& c) {
      return chosen(c) && (c.running() || c.state == "restarting");
    });
    if (first) end_if_nothing_is_left();
  }

  void begin(const stack::container_event& e) {
    running_ = true;
    if (following_.contains(e.id)) return;
    following_.insert(e.id);
    group_.spawn(e.name, follow_again(e.id, e.service));
  }

  // From the end of its run before on: its start is noted only after its first words.
  static std::string end_before(const std::string& finished_at) {
    return finished_at.starts_with("0001") ? std::string() : moment_from(finished_at);
  }

  task<void> follow_again(std::string id, std::string service) {
    auto found = co_await engine_.containers.inspect(id);
    stack::observed_container c;
    c.id = id;
    c.service = service;
    if (found) c.name = found->name;
    co_await follow_one(c, "", found ? end_before(found->state.finished_at) : "");
  }

  void spawn(stack::observed_container c, std::string tail, std::string since) {
    following_.insert(c.id);
    group_.spawn(c.name, follow_one(std::move(c), std::move(tail), std::move(since)));
  }

  task<void> follow_one(stack::observed_container c, std::string tail, std::string since) {
    auto done = co_await print(c, tail, since);
    if (!done && done.error().code != "engine-not-found") report_compose(done.error());
    following_.erase(c.id);
    if (!following_.empty()) co_return;
    co_await pause(restart_gap);
    auto now = co_await stack::observe(engine_, project_);
    if (now) join(*now);
    end_if_nothing_is_left();
  }

  void end_if_nothing_is_left() {
    if (following_.empty() && !running_) ended_.cancel();
  }

  task<Result<>> print(stack::observed_container c, std::string tail, std::string since) {
    engine::log_options how;
    how.follow = options_.follow;
    how.timestamps = options_.timestamps;
    how.since = since;
    how.until = moment_from(options_.until);
    if (int lines = 0; !tail.empty() && tail != "all" &&
                       std::from_chars(tail.data(), tail.data() + tail.size(), lines).ec == std::errc())
      how.tail = lines;
    auto stream = co_await engine_.containers.logs(c.id, how);
    if (!stream) co_return std::unexpected(stream.error());
    std::map<engine::stream_kind, std::string> partial;
    for (;;) {
      auto frame = co_await stream->next();
      if (!frame || !*frame) break;
      auto& text = partial[(*frame)->stream];
      text += (*frame)->bytes;
      print_lines(c, (*frame)->stream, text);
    }
    for (auto& [kind, text] : partial)
      if (!text.empty()) print_lines(c, kind, text += '\n');
    co_return Result<>{};
  }

  // Prints the whole lines of the text and leaves the rest.
  void print_lines(const stack::observed_container& c, engine::stream_kind kind, std::string& text) {
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      const auto words = text.substr(begin, end - begin);
      const auto line =
          (options_.format == "json" ? json_line(c, kind, words) : prefix_of(c.name) + words) + "\n";
      std::fwrite(line.data(), 1, line.size(), stdout);
      begin = end + 1;
    }
    text.erase(0, begin);
    std::fflush(stdout);
  }

  std::string json_line(const stack::observed_container& c, engine::stream_kind kind,
                        std::string words) const {
    const bool errors = kind == engine::stream_kind::standard_error;
    nlohmann::ordered_json line{
        {"service", c.service}, {"container", c.name}, {"stream", errors ? "stderr" : "stdout"}};
    if (options_.timestamps) {  // the engine writes it before the line
      const auto blank = std::min(words.find(' '), words.size());
      line["time"] = words.substr(0, blank);
      words.erase(0, blank + 1);
    }
    line["line"] = words;
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  std::string prefix_of(const std::string& name) {
    if (options_.no_prefix) return {};
    auto text = short_name(name);
    width_ = std::max(width_, text.size());
    text.resize(width_ + 2, ' ');
    text += "| ";
    if (!colors_) return text;
    constexpr const char* palette[] = {"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"};
    const auto color = color_.try_emplace(name, color_.size()).first->second;
    return std::string("\x1b[") + palette[color % std::size(palette)] + "m" + text + "\x1b[0m";
  }

  engine::client& engine_;
  std::string project_;
  compose_options options_;
  bool colors_;
  task_group group_;
  asio::steady_timer ended_;
  bool first_look_ = true;
  bool running_ = false;
  std::size_t width_ = 0;
  std::set<std::string> following_;
  std::map<std::string, std::size_t> color_;
};

}  // namespace

task<int> print_logs(engine::client& engine, std::string project, compose_options options,
                     bool interruptible) {
  auto executor = co_await asio::this_coro::executor;
  const bool follow = options.follow;
  log_printer printer(engine, std::move(project), std::move(options), executor);
  if (follow) co_return co_await printer.follow(interruptible) ? 130 : int(compose_done);
  auto done = co_await printer.once();
  co_return done ? int(compose_done) : report_compose(done.error());
}

int compose_logs(const compose_options& options) {
  auto of = project_or_name(options);
  if (!of) return report_compose(of.error());
  return with_engine([&](engine::client& engine) -> task<int> {
    co_return co_await print_logs(engine, of->name, options, false);
  });
}

}  // namespace difyd::cli
