#include "verdict_file.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdio>

#include "difyd/base/durable_file.hpp"

namespace difyd::front {
namespace {

constexpr std::size_t largest_status = 1u << 20;
constexpr std::size_t largest_page = 1u << 20;

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
  struct stat info{};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_mtim, info.st_size};
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// Read once per publication, not per request.
std::string read_page(const publication& published) {
  if (!published.maintenance || published.maintenance->file.empty()) return {};
  auto page = read_file(published.maintenance->file, largest_page);
  if (!page) std::fprintf(stderr, "<4>%s\n", page.error().message.c_str());
  return page ? std::move(*page) : std::string();
}

}  // namespace

struct verdict_file::state {
  std::string verdict_path;
  std::string status_path;
  file_stamp verdict_seen;
  file_stamp status_seen;
  cell<served> current;
  asio::posix::stream_descriptor events;
  int watch = -1;

  state(asio::any_io_executor executor, std::string verdict, std::string status)
      : verdict_path(std::move(verdict)),
        status_path(std::move(status)),
        current(executor),
        events(executor) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0) events.assign(fd);
  }

  // Again each round: the folder may be made after we started, or be made anew.
  void keep_watching() {
    if (!events.is_open()) return;
    watch = ::inotify_add_watch(events.native_handle(), folder_of(verdict_path).c_str(), IN_MOVED_TO);
  }

  void drain() {
    alignas(inotify_event) char buffer[4096];
    while (events.is_open() && ::read(events.native_handle(), buffer, sizeof buffer) > 0) continue;
  }

  bool reload_verdict(served& next) {
    const auto stamp = stamp_of(verdict_path);
    if (stamp.size < 0 || stamp.same(verdict_seen)) return false;
    verdict_seen = stamp;
    auto read = read_publication(verdict_path);
    if (!read) std::fprintf(stderr, "<4>%s\n", read.error().message.c_str());
    if (!read) return false;
    next.ready = make_answers(std::move(*read));
    next.own_page = read_page(*next.ready.source);
    return true;
  }

  bool reload_status(served& next) {
    const auto stamp = stamp_of(status_path);
    if (stamp.size < 0 || stamp.same(status_seen)) return false;
    status_seen = stamp;
    auto read = read_file(status_path, largest_status);
    if (read) next.status = std::move(*read);
    return read.has_value();
  }
};

verdict_file::verdict_file(asio::any_io_executor executor, std::string verdict_path, std::string status_path)
    : state_(std::make_unique<state>(std::move(executor), std::move(verdict_path), std::move(status_path))) {}

verdict_file::~verdict_file() = default;

cell<served>& verdict_file::current() { return state_->current; }

void verdict_file::leave() {
  auto next = *state_->current.get();
  next.leaving = true;
  state_->current.set(std::move(next));
}

void verdict_file::reload() {
  auto next = *state_->current.get();
  const bool verdict = state_->reload_verdict(next);
  const bool status = state_->reload_status(next);
  if (verdict || status) state_->current.set(std::move(next));
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
