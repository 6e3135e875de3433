#include "verdict_file.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdio>

#include "difyd/base/clock.hpp"
#include "difyd/base/durable_file.hpp"

namespace difyd::front {
namespace {

constexpr std::size_t largest_file = 1u << 20;

// Which version of a file was read last: rename gives a new inode.
struct file_stamp {
  ino_t inode = 0;
  timespec changed{};
  off_t size = -1;

  bool same(const file_stamp& other) const {
    return inode == other.inode && size == other.size && changed.tv_sec == other.changed.tv_sec &&
           changed.tv_nsec == other.changed.tv_nsec;
  }
};

file_stamp stamp_of(const std::string& path) {
  struct stat info {};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_mtim, info.st_size};
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// A file as it was when it last changed.
class followed_file {
 public:
  explicit followed_file(std::string path) : path_(std::move(path)) {}

  const std::string& text() const { return text_; }
  // Whether there is a newer one. What cannot be read is told about once and leaves the older one.
  bool reload() {
    const auto stamp = stamp_of(path_);
    if (stamp.size < 0 || stamp.same(seen_)) return false;
    seen_ = stamp;
    auto read = read_file(path_, largest_file);
    if (!read) std::fprintf(stderr, "<4>%s\n", read.error().message.c_str());
    if (read) text_ = std::move(*read);
    return read.has_value();
  }

 private:
  std::string path_;
  file_stamp seen_;
  std::string text_;
};

}  // namespace

struct verdict_file::state {
  std::string folder;
  followed_file verdict, status, status_page, metrics;
  followed_file own_page{{}};
  std::string own_page_path;
  answers ready = make_answers(std::nullopt);
  cell<served> current;
  asio::posix::stream_descriptor events;
  int watch = -1;

  state(asio::any_io_executor executor, const std::string& path)
      : folder(folder_of(path)),
        verdict(path),
        status(folder + std::string(status_file)),
        status_page(folder + std::string(status_page_file)),
        metrics(folder + std::string(metrics_file)),
        current(executor),
        events(executor) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0) events.assign(fd);
  }

  // Again each round: the folder may be made after we started, or be made anew.
  void keep_watching() {
    if (!events.is_open()) return;
    watch = ::inotify_add_watch(events.native_handle(), folder.c_str(), IN_MOVED_TO);
  }

  void drain() {
    alignas(inotify_event) char buffer[4096];
    while (events.is_open() && ::read(events.native_handle(), buffer, sizeof buffer) > 0) continue;
  }

  void reload_verdict() {
    if (!verdict.reload()) return;
    auto read = from_json(verdict.text());
    if (!read) std::fprintf(stderr, "<4>%s\n", read.error().message.c_str());
    if (read) ready = make_answers(std::move(*read));
  }

  void reload_own_page() {
    const auto& source = ready.source;
    const auto path = source && source->maintenance ? source->maintenance->file : std::string();
    if (path != own_page_path) own_page = followed_file(path);
    own_page_path = path;
    (void)own_page.reload();
  }

  served make() const {
    const auto now = boot_time();
    const auto& source = ready.source;
    served next;
    next.ready = ready;
    next.metrics = make_metrics(source, now, metrics.text());
    next.status = make_status(status.text(), source, now);
    next.status_page = make_status_page(status_page.text(), source, now);
    if (source && source->maintenance)
      next.maintenance = make_pages(*source->maintenance, own_page.text(), now);
    next.leaving = current.get()->leaving;
    return next;
  }
};

verdict_file::verdict_file(asio::any_io_executor executor, std::string verdict_path)
    : state_(std::make_unique<state>(std::move(executor), verdict_path)) {}

verdict_file::~verdict_file() = default;

cell<served>& verdict_file::current() { return state_->current; }

void verdict_file::leave() {
  auto next = *state_->current.get();
  next.leaving = true;
  state_->current.set(std::move(next));
}

void verdict_file::reload() {
  state_->reload_verdict();
  state_->reload_own_page();
  (void)state_->status.reload();
  (void)state_->status_page.reload();
  (void)state_->metrics.reload();
  state_->current.set(state_->make());
}

task<void> verdict_file::follow(void (*each_round)()) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    state_->keep_watching();
    reload();
    each_round();
    timer.expires_after(state_->watch < 0 ? std::chrono::milliseconds(200) : std::chrono::milliseconds(1000));
    if (state_->watch < 0) {
      co_await timer.async_wait(asio::use_awaitable);
    } else {
      auto group = asio::experimental::make_parallel_group(
          state_->events.async_wait(asio::posix::stream_descriptor::wait_read, asio::deferred),
          timer.async_wait(asio::deferred));
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    }
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none) co_return;
    state_->drain();
  }
}

}  // namespace difyd::front
