#include "difyd/database/lease.hpp"

#include <unistd.h>

#include <charconv>

#include "caller.hpp"
#include "claim.hpp"
#include "difyd/base/clock.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"

namespace difyd::database {
namespace {

// The held claim, touched on the lane's thread only and owned by the calls that run there.
struct holder {
  claim_request request;
  std::unique_ptr<claim> held;
  quiet_since quiet;
};

Result<> watched(holder& own, const std::function<Result<>(claim&)>& work) {
  const watch guard(*own.request.interrupt, own.held->connection->socket());
  return work(*own.held);
}

std::string describe(const lease_place& place) {
  return place.own ? "database " + place.database : "schema difyd in " + place.database;
}

}  // namespace

identity this_machine() {
  identity self;
  self.machine_id = trim(read_file("/etc/machine-id", 4096).value_or(""));
  self.boot_id = boot_id();
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) == 0) self.hostname = name;
  return self;
}

bool may_inherit(const owner& former, duration quiet, const inheritance& rules) {
  if (!former.stack_up) return true;
  return former.seconds_since_renewal * 1000 >= static_cast<double>(rules.renewal.count()) &&
         quiet >= rules.quiet;
}

struct lease::state {
  state(asio::any_io_executor executor, claim_request request)
      : limit(request.where.connect_limit + request.where.call_limit),
        calls(std::move(executor), "pg lease"),
        own(std::make_shared<holder>()) {
    own->request = std::move(request);
    own->request.interrupt = calls.interrupt();
  }

  // Work on the held claim. Whatever ends the session ends the lease.
  task<Result<>> with_claim(std::function<Result<>(claim&)> work, std::string what) {
    if (!held) co_return fail("lease-lost", "cannot " + what + ": the lease is not held");
    std::function<Result<>()> call = [own = own, work = std::move(work)]() -> Result<> {
      if (!own->held) return fail("lease-lost", "cannot keep the lease: its session ended");
      auto result = watched(*own, work);
      const bool over = !own->held->connection->alive() || (!result && result.error().code == "lease-lost");
      if (over) own->held.reset();
      return result;
    };
    auto result = co_await calls.run(std::move(call), limit, what);
    if (result) co_return result;
    // After an overrun the socket is shut, and the server lets go of the lock with it.
    const bool overrun = result.error().code == "deadline-exceeded" || result.error().code == "lane-busy";
    if (overrun) result = fail("lease-lost", "cannot keep the lease: " + result.error().message);
    if (result.error().code == "lease-lost") held = false;
    co_return result;
  }

  duration limit;
  caller calls;
  std::shared_ptr<holder> own;
  bool held = false;
  duration renewed_up{-1};  // boot_time before the last renewal that said stack_up
  std::string place;
};

lease::lease(asio::any_io_executor executor, endpoint where, std::string main, std::string wanted,
             identity self, inheritance rules)
    : state_(std::make_shared<state>(
          std::move(executor),
          claim_request{
              std::move(where), std::move(main), std::move(wanted), std::move(self), rules, nullptr, {}})) {}

lease::~lease() = default;

task<Result<lease_state>> lease::acquire(std::optional<std::string> share) {
  auto mine = state_;
  if (mine->held) {
    auto still = co_await check();
    if (still) co_return lease_state{true, {}};
    if (mine->held) co_return fail(std::move(still.error()));
  }
  struct answer {
    lease_state seen;
    std::string place;
  };
  std::function<Result<answer>()> call = [own = mine->own, share = std::move(share)]() -> Result<answer> {
    own->held.reset();
    own->request.share = share;
    auto outcome = take_claim(own->request, own->quiet);
    if (!outcome) return fail(std::move(outcome.error()));
    own->held = std::move(outcome->taken);
    return answer{{own->held != nullptr, std::move(outcome->other), outcome->free}, describe(outcome->place)};
  };
  auto result = co_await mine->calls.run(std::move(call), 2 * mine->limit, "take the lease");
  if (!result) co_return fail(std::move(result.error()));
  mine->held = result->seen.held;
  mine->place = std::move(result->place);
  co_return std::move(result->seen);
}

task<Result<>> lease::check() {
  return state_->with_claim([](claim& held) { return check_claim(held); }, "check the lease");
}

task<Result<>> lease::renew(std::string version, bool stack_up) {
  auto mine = state_;
  const auto begun = boot_time();
  auto renewed = co_await mine->with_claim(
      [version = std::move(version), stack_up](claim& held) { return renew_claim(held, version, stack_up); },
      "renew the lease");
  if (renewed) mine->renewed_up = stack_up ? begun : duration(-1);
  co_return renewed;
}

task<Result<>> lease::belong_to(std::string share) {
  return state_->with_claim([share = std::move(share)](claim& held) { return mark_claim(held, share); },
                            "name the storage in the lease's row");
}

task<Result<>> lease::release(bool stack_up) {
  auto mine = state_;
  if (!mine->held) co_return Result<>{};
  auto result = co_await mine->with_claim([stack_up](claim& held) { return drop_claim(held, stack_up); },
                                          "give back the lease");
  mine->held = false;
  std::function<Result<>()> end = [own = mine->own]() -> Result<> {
    own->held.reset();
    return {};
  };
  auto ended = co_await mine->calls.run(std::move(end), mine->limit, "end the lease's session");
  co_return result ? ended : result;
}

bool lease::held() const { return state_->held; }

bool lease::fresh() const {
  // Half of it: what is begun on this word must have come to its end by then.
  return state_->renewed_up >= duration(0) &&
         boot_time() - state_->renewed_up < state_->own->request.rules.renewal / 2;
}

std::string lease::place() const { return state_->place; }

long long lease::key() {
  const std::string digest = sha256_hex("difyd").substr(0, 16);
  unsigned long long bits = 0;
  std::from_chars(digest.data(), digest.data() + digest.size(), bits, 16);
  return static_cast<long long>(bits);
}

}  // namespace difyd::database
