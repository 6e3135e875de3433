#include "difyd/host/share.hpp"

#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "difyd/base/cell.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"
#include "difyd/host/mounts.hpp"
#include "helper_call.hpp"

namespace difyd::host {
namespace {

using nlohmann::json;
using words = std::vector<std::string>;

// Many files, each made durable.
constexpr int tree_times = 12;

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%o", static_cast<unsigned>(mode));
  return text;
}

Result<std::vector<std::string>> parse_names(Result<std::string> answer) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto parsed = json::parse(*answer, nullptr, false);
  if (!parsed.is_array()) return fail("share-io", "cannot read the answer of difyd-helper");
  return parsed.get<std::vector<std::string>>();
}

}  // namespace

std::string default_helper() {
  if (const char* named = std::getenv("DIFYD_HELPER"); named && *named) return named;
  char self[4096];
  const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
  if (length > 0) {
    const std::string program(self, static_cast<std::size_t>(length));
    const std::string beside = program.substr(0, program.rfind('/')) + "/difyd-helper";
    if (::access(beside.c_str(), X_OK) == 0) return beside;
  }
  return DIFYD_LIBEXECDIR "/difyd-helper";
}

struct share::state {
  share_options options;
  std::string lock;
  std::unique_ptr<cell<bool>> busy;  // made at the first call, with that call's executor

  task<Result<>> wait_for_turn() {
    while (*busy->get()) co_await busy->changed(busy->version());
    busy->set(true);
    co_return Result<>{};
  }
};

namespace {

struct turn {
  cell<bool>& busy;
  explicit turn(cell<bool>& flag) : busy(flag) {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() { busy.set(false); }
};

// One helper per mount: the corpse of one that hangs on a mount that was detached does not stand in the way
// of the mount that took its place.
std::string lock_of(const std::string& root, const std::string& base) {
  const auto mounts = read_mounts();
  const auto* now = mounts ? find_mount(*mounts, root) : nullptr;
  return now ? base + "-" + std::to_string(now->id) : base;
}

// One helper at a time. `self` by value: the call keeps what it works on alive.
template <class State>
task<Result<std::string>> call(std::shared_ptr<State> self, words arguments, std::string input = {},
                               std::size_t max_output = 1 << 20, duration limit = {}) {
  if (limit == duration{}) limit = self->options.limit;
  if (!self->busy) self->busy = std::make_unique<cell<bool>>(co_await asio::this_coro::executor, false);
  const std::string what = "reach the storage " + self->options.root;
  auto waited = co_await with_deadline(self->wait_for_turn(), 6 * self->options.limit, what);
  if (!waited)
    co_return fail("share-hung", waited.error().message, "Check the server that holds the storage");
  const turn mine(*self->busy);
  const words lock{"--lock", lock_of(self->options.root, self->lock)};
  arguments.insert(arguments.begin(), lock.begin(), lock.end());
  auto spec = helper_spec(self->options.helper, std::move(arguments), std::move(input), limit);
  spec.max_output = max_output;
  auto answer = answer_of(co_await run_process(std::move(spec)));
  if (!answer && answer.error().code == "deadline-exceeded")
    co_return fail("share-hung", "cannot " + what + ": no answer within " + to_text(limit),
                   "Check the server that holds the storage and the network to it");
  co_return answer;
}

Result<> nothing(Result<std::string> answer) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  return {};
}

}  // namespace

share::share(share_options options) : state_(std::make_shared<state>()) {
  if (options.helper.empty()) options.helper = default_helper();
  state_->lock = options.lock_folder + "/share-" + sha256_hex(options.root).substr(0, 16) + ".lock";
  state_->options = std::move(options);
}

const std::string& share::root() const { return state_->options.root; }

const share_options& share::options() const { return state_->options; }

task<Result<share_state>> share::probe(uid_t uid) {
  auto self = state_;
  const words request{"probe", self->options.root, std::to_string(uid)};
  auto answer = co_await call(self, request);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  const auto parsed = json::parse(*answer, nullptr, false);
  if (!parsed.is_object()) co_return fail("share-io", "cannot read the answer of difyd-helper");
  co_return share_state{parsed.value("bytes_total", std::uint64_t{}),
                        parsed.value("bytes_free", std::uint64_t{}),
                        parsed.value("files_total", std::uint64_t{}),
                        parsed.value("files_free", std::uint64_t{}),
                        parsed.value("written_as", uid_t{}),
                        parsed.value("identity", ""),
                        parsed.value("beneath", std::vector<std::string>{})};
}

task<Result<std::string>> share::read(std::string path, std::size_t limit) {
  auto self = state_;
  const words request{"read-file", self->options.root, std::move(path), std::to_string(limit)};
  const std::size_t room = limit + (64u << 10);  // an error must fit as well
  co_return co_await call(self, request, {}, room);
}

task<Result<>> share::write(std::string path, std::string bytes, mode_t mode) {
  auto self = state_;
  const words request{"write-file", self->options.root, std::move(path), octal(mode)};
  co_return nothing(co_await call(self, request, std::move(bytes)));
}

task<Result<std::vector<std::string>>> share::list(std::string path) {
  auto self = state_;
  const words request{"list", self->options.root, std::move(path)};
  co_return parse_names(co_await call(self, request, {}, 16u << 20));
}

task<Result<>> share::make_folder(std::string path, uid_t uid, gid_t gid, mode_t mode) {
  auto self = state_;
  const words request{"mkdir-owned",       self->options.root,  std::move(path),
                      std::to_string(uid), std::to_string(gid), octal(mode)};
  co_return nothing(co_await call(self, request));
}

task<Result<>> share::remove(std::string path) {
  auto self = state_;
  const words request{"remove-file", self->options.root, std::move(path)};
  co_return nothing(co_await call(self, request));
}

task<Result<laid_out>> share::lay_out(share_layout what, std::string abandoned) {
  auto self = state_;
  const words request{"lay-out", self->options.root};
  std::string order = json{{"machine", what.machine}, {"abandoned", abandoned}, {"seeds", what.seeds},
                           {"folders", what.folders}, {"owned", what.owned},    {"uid", what.uid}}
                          .dump(-1, ' ', false, json::error_handler_t::replace);
  auto answer = co_await call(self, request, std::move(order), 1 << 20, tree_times * self->options.limit);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  const auto parsed = json::parse(*answer, nullptr, false);
  if (!parsed.is_object()) co_return fail("share-io", "cannot read the answer of difyd-helper");
  co_return laid_out{parsed.value("made", std::vector<std::string>{}), parsed.value("busy", "")};
}

task<Result<std::uint64_t>> share::own(std::string path, uid_t uid, duration time) {
  auto self = state_;
  const std::string number = std::to_string(uid);
  const words request{"--lock", self->lock + "-own", "own", self->options.root, std::move(path), number,
                      number};
  auto answer = answer_of(co_await run_process(helper_spec(self->options.helper, request, {}, time)));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  const auto parsed = json::parse(*answer, nullptr, false);
  if (!parsed.is_object()) co_return fail("share-io", "cannot read the answer of difyd-helper");
  co_return parsed.value("changed", std::uint64_t{});
}

task<Result<>> share::write_tree(std::string path, std::vector<tree_file> files) {
  auto self = state_;
  auto packed = pack(files);
  if (!packed) co_return std::unexpected(std::move(packed.error()));
  const words request{"write-tree", self->options.root, std::move(path)};
  co_return nothing(
      co_await call(self, request, std::move(*packed), 1 << 20, tree_times * self->options.limit));
}

task<Result<std::vector<tree_file>>> share::read_tree(std::string path) {
  auto self = state_;
  const words request{"read-tree", self->options.root, std::move(path)};
  auto packed = co_await call(self, request, {}, largest_tree, tree_times * self->options.limit);
  if (!packed) co_return std::unexpected(std::move(packed.error()));
  co_return unpack(*packed);
}

task<Result<>> share::remove_tree(std::string path) {
  auto self = state_;
  const words request{"remove-tree", self->options.root, std::move(path)};
  co_return nothing(co_await call(self, request, {}, 1 << 20, tree_times * self->options.limit));
}

task<Result<>> try_second_mount(std::string fstype, std::string source, std::string options, uid_t uid,
                                const share_options& how, duration limit) {
  // One at a time: an earlier one may still hang.
  const std::string folder = how.lock_folder + "/second-mount";
  const words request{"--lock",          folder + ".lock",   "second-mount", std::move(fstype),
                      std::move(source), std::move(options), folder,         std::to_string(uid)};
  auto spec = helper_spec(how.helper.empty() ? default_helper() : how.helper, request, {}, limit);
  co_return nothing(answer_of(co_await run_process(std::move(spec))));
}

task<Result<std::vector<std::string>>> resolve(std::string name, duration limit, std::string helper) {
  const words request{"resolve", std::move(name)};
  auto spec = helper_spec(helper.empty() ? default_helper() : std::move(helper), request, {}, limit);
  co_return parse_names(answer_of(co_await run_process(std::move(spec))));
}

}  // namespace difyd::host
