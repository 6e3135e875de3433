#include "publishing.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <set>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "judging.hpp"
#include "metrics.hpp"
#include "page.hpp"
#include "probing.hpp"
#include "status_page.hpp"
#include "views.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr duration round_length = 2s;
// What belongs together comes together: the lines of a plan, a step's end and the next one's begin.
constexpr duration settle = 100ms;

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::uint64_t resident_bytes() {
  const auto text = read_file("/proc/self/statm", 4096);
  unsigned long long all = 0, resident = 0;
  if (!text || std::sscanf(text->c_str(), "%llu %llu", &all, &resident) != 2) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// dify-worker-1 of project dify -> worker
std::string service_of(const std::string& container, const std::string& project) {
  const auto end = container.rfind('-');
  if (!container.starts_with(project + "-") || end == std::string::npos || end <= project.size()) return {};
  return container.substr(project.size() + 1, end - project.size() - 1);
}

bool starts_a_container(const std::string& text) {
  for (const auto* begin : {"start container", "restart container", "recreate container"})
    if (text.starts_with(begin)) return true;
  return false;
}

class publisher {
 public:
  explicit publisher(world& w) : w_(w), seen_(w.events.last()) {}

  task<void> run() {
    for (;;) {
      count_time();
      write_all();
      auto news = co_await with_deadline(next_events(), round_length, "wait for events");
      if (!news) continue;
      if (take(*news)) publish_now(w_);
      co_await pause(settle);
    }
  }

 private:
  task<Result<std::vector<control::event>>> next_events() { co_return co_await w_.events.after(seen_); }

  // Whether a step began, which visitors are shown.
  bool take(const std::vector<control::event>& events) {
    bool step = false;
    for (const auto& event : events) {
      seen_ = event.sequence;
      if (event.kind == "step" && event.state == "begun" && event.subject == "heal") {
        heals_.insert(event.operation);
      } else if (event.kind == "step" && event.state == "begun") {
        w_.step = {event.subject, boot_time()};
        step = true;
      }
      if (event.kind == "service" && event.state == "done" && heals_.contains(event.operation) &&
          starts_a_container(event.text))
        ++counts_.restarts[service_of(event.subject, w_.settings.project)];
      if (event.kind == "result") heals_.erase(event.operation);
    }
    return step;
  }

  void count_time() {
    const auto now = boot_time();
    const double passed = std::chrono::duration<double>(now - counted_).count();
    if (counted_.count() > 0 && w_.given.get()->readyz != answer::ok) counts_.unready_seconds += passed;
    counted_ = now;
  }

  metric_facts facts_of(const control::status& status,
                        const std::vector<control::past_upgrade>& history) const {
    metric_facts facts;
    facts.status = status;
    facts.history = history;
    facts.findings = findings_now(w_);
    facts.probes = w_.probe_runs;
    facts.counts = counts_;
    facts.counts.cpu_seconds = processor_seconds();
    facts.counts.resident_bytes = resident_bytes();
    facts.lease_held = w_.lease && w_.lease->held();
    facts.started = w_.started;
    facts.phase_since = w_.stands.get()->since;
    if (const auto backups = w_.backups.get(); !backups->empty()) facts.newest_backup = backups->back().time;
    return facts;
  }

  void write_all() {
    const auto status = status_of(w_);
    const auto history = w_.book ? history_of(w_.book->current()) : std::vector<control::past_upgrade>();
    write(front::status_file, status_json(status, history), status_);
    write(front::status_page_file, status_page(status, history), page_);
    write(front::metrics_file, metrics_of(facts_of(status, history)), metrics_);
  }

  // Only what has changed: difyd-health reads it again then.
  void write(std::string_view name, std::string text, std::string& before) {
    if (text == before) return;
    const auto path = w_.settings.runtime_dir + "/" + std::string(name);
    const auto written = replace_file(path, text, 0644);
    if (!written && !complained_) log::error("publish", written.error().message);
    complained_ = !written;
    if (written) before = std::move(text);
  }

  world& w_;
  std::uint64_t seen_;
  std::set<std::string> heals_;  // operations that heal
  metric_counts counts_;
  std::chrono::milliseconds counted_{};
  std::string status_, page_, metrics_;
  bool complained_ = false;
};

// The same text again is no news; what cannot be shown is said once.
struct own_page {
  std::string published;
  std::string complaint;

  Result<> publish(world& w, const Result<std::string>& read) {
    if (!read) return std::unexpected(read.error());
    if (read->empty())
      return fail("page-empty", "cannot show " + w.settings.maintenance.page_file + ": it is empty");
    if (w.own_page && *read == published) return {};
    auto written = replace_file(own_page_path(w), *read, 0644);
    if (written) published = *read;
    return written;
  }
};

}  // namespace

task<void> keep_publishing(world& w) {
  publisher all(w);
  co_await all.run();
}

task<void> keep_own_page(world& w) {
  const auto& path = w.settings.maintenance.page_file;
  own_page page;
  while (!path.empty()) {
    const auto read = co_await w.chores.run<std::string>(
        [path] { return read_file(path, front::largest_own_page); }, 10s, "read " + path);
    // A lane that is busy says nothing about the page.
    if (read || read.error().code != "lane-busy") {
      const auto done = page.publish(w, read);
      const std::string complaint = done ? std::string() : done.error().message;
      if (!complaint.empty() && complaint != page.complaint)
        log::warning("page", "the built-in page is shown instead", {{"cause", complaint}});
      page.complaint = complaint;
      w.own_page = done.has_value();
    }
    co_await pause(10s);
  }
}

}  // namespace difyd::supervisor
