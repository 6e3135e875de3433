#include "compose_progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace difyd::cli {
namespace {

using stack::op_kind;
using stack::op_state;

struct words {
  const char* working;
  const char* done;
};

words words_of(op_kind kind) {
  switch (kind) {
    case op_kind::pull_image:
      return {"Pulling", "Pulled"};
    case op_kind::create_folder:
    case op_kind::create_network:
    case op_kind::create_volume:
    case op_kind::create_container:
      return {"Creating", "Created"};
    case op_kind::recreate_container:
      return {"Recreate", "Recreated"};
    case op_kind::rename_container:
      return {"Renaming", "Renamed"};
    case op_kind::connect_network:
      return {"Connecting", "Connected"};
    case op_kind::set_restart_policy:
      return {"Updating", "Updated"};
    case op_kind::start_container:
      return {"Starting", "Started"};
    case op_kind::stop_container:
      return {"Stopping", "Stopped"};
    case op_kind::restart_container:
      return {"Restarting", "Restarted"};
    case op_kind::remove_container:
    case op_kind::remove_network:
    case op_kind::remove_volume:
      return {"Removing", "Removed"};
  }
  return {"Working", "Done"};
}

std::string subject(const stack::operation& op) {
  switch (op.kind) {
    case op_kind::pull_image:
      return "Image " + op.target;
    case op_kind::create_folder:
      return "Folder " + op.target;
    case op_kind::create_network:
    case op_kind::remove_network:
      return "Network " + op.target;
    case op_kind::create_volume:
    case op_kind::remove_volume:
      return "Volume " + op.target;
    default:
      return "Container " + op.target;
  }
}

std::string state_text(const stack::operation& op, const stack::op_progress& progress) {
  switch (progress.state) {
    case op_state::waiting:
      return "Waiting";
    case op_state::working:
      return std::string(words_of(op.kind).working) + (progress.text.empty() ? "" : " " + progress.text);
    case op_state::done:
      return progress.text.empty() ? words_of(op.kind).done : progress.text;
    case op_state::failed:
      return "Error " + progress.text;
    case op_state::cancelled:
      return "Not begun";
  }
  return {};
}

std::pair<std::size_t, std::size_t> terminal_size() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return {24, 80};
  return {size.ws_row, size.ws_col};
}

}  // namespace

plan_progress::plan_progress(const stack::Plan& plan, const std::string& mode) {
  quiet_ = mode == "quiet";
  live_ = !quiet_ && (mode == "tty" || (mode == "auto" && ::isatty(STDERR_FILENO) == 1));
  for (const auto& name : plan.kept) show_kept("Container " + name);
  if (!live_) return;
  for (const auto& op : plan.operations) row_of(op);
}

void plan_progress::show_kept(const std::string& what) {
  if (live_) rows_.push_back({what, "Running", op_state::done, {}, 0});
  if (!live_ && !quiet_) std::fprintf(stderr, " %s  Running\n", what.c_str());
}

plan_progress::~plan_progress() {
  if (live_) draw(true);
}

plan_progress::row& plan_progress::row_of(const stack::operation& op) {
  const auto what = subject(op);
  for (auto& each : rows_)
    if (each.what == what) return each;
  rows_.push_back({what, "", op_state::waiting, {}, 0});
  return rows_.back();
}

void plan_progress::show(const stack::operation& op, const stack::op_progress& progress) {
  if (quiet_) return;
  if (!live_) {
    const bool repeats = progress.state == op_state::working && progress.fraction >= 0;
    if (repeats || progress.state == op_state::cancelled) return;
    std::fprintf(stderr, " %s  %s\n", subject(op).c_str(), state_text(op, progress).c_str());
    return;
  }
  auto& r = row_of(op);
  const auto now = std::chrono::steady_clock::now();
  if (r.began == std::chrono::steady_clock::time_point{}) r.began = now;
  r.seconds = std::chrono::duration<double>(now - r.began).count();
  r.text = state_text(op, progress);
  r.state = progress.state;
  const bool passing = progress.state == op_state::working && progress.fraction >= 0;
  if (!passing || now - drawn_at_ > std::chrono::milliseconds(100)) draw(false);
}

// Redraws in place; while it runs no more lines than the terminal has.
void plan_progress::draw(bool last) {
  drawn_at_ = std::chrono::steady_clock::now();
  const auto [height, width] = terminal_size();
  std::string out;
  if (drawn_ > 0) out += "\x1b[" + std::to_string(drawn_) + "A";
  const std::size_t shown = last ? rows_.size() : std::min(rows_.size(), height > 2 ? height - 2 : 1);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& r = rows_[i];
    if (r.text.empty() && last) continue;
    const bool done = r.state == op_state::done;
    const char* mark = done                          ? "\x1b[32m✔\x1b[0m"
                       : r.state == op_state::failed ? "\x1b[31m✘\x1b[0m"
                                                     : "\x1b[33m⠿\x1b[0m";
    std::string line = r.what + "  " + (r.text.empty() ? "Waiting" : r.text);
    if (line.size() > width - 12) line.resize(width - 12);
    char seconds[16];
    std::snprintf(seconds, sizeof seconds, " %.1fs", r.seconds);
    out += std::string(" ") + mark + " " + line + (r.text.empty() ? "" : seconds) + "\x1b[K\n";
  }
  drawn_ = last ? 0 : shown;
  std::fwrite(out.data(), 1, out.size(), stderr);
}

}  // namespace difyd::cli
