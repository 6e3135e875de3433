#include "drive.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "process.hpp"

namespace difyd::modelled {
namespace {

standing one_life(world& w, int machine) {
  asio::io_context loop(1);
  process difyd(loop, w, machine);
  standing result;
  std::exception_ptr failure;
  asio::co_spawn(loop, difyd.live(), [&](std::exception_ptr error, standing where) {
    failure = error;
    result = std::move(where);
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return result;
}

void second_machine(world& w, int dies) {
  w.second_dies = dies > 0 ? std::optional(dies) : std::nullopt;
  try {
    w.second_holds = one_life(w, 1).at == standing::holding;
  } catch (const crashed&) {
    for (auto& one : w.containers)
      if (one.machine == 1) w.stop(one);
    std::erase_if(w.containers, [](const container& one) { return one.machine == 1; });
    if (w.lease == 1) w.lease = -1;
    w.note("the second machine is gone");
  }
  w.second_dies.reset();
}

// What must be true where difyd rests.
std::string check_end(const world& w, const standing& where) {
  if (where.at == standing::holding) {
    if (where.why.empty()) w.violated("it holds without a reason");
    return "holding";
  }
  if (where.at == standing::waiting_for_lease && w.lease != 1)
    w.violated("it waits for a lease that nobody has");
  if (where.at == standing::waiting_for_lease && w.second_holds) return "holding";
  if (w.share.in_flight) w.violated("it rests while an upgrade is in flight");
  const int version = w.share.deployed->version.minor;
  int running = 0;
  for (const auto& one : w.containers) {
    if (!one.running || one.what == role::migrator || one.machine != w.lease) continue;
    if (one.what != role::data && one.version != version) w.violated("what runs is not what the ledger says");
    running += one.what != role::data;
  }
  if (running != 3) w.violated("it says serving and not everything runs");
  if (w.revision != w.head(version)) w.violated("it serves on a revision that is not the head");
  return "serving " + std::to_string(version);
}

}  // namespace

outcome_of_run drive(const scenario& plan, const script& acts, defect wrong, bool tracing) {
  world w(plan);
  w.acts = acts;
  w.wrong = wrong;
  w.tracing = tracing;
  w.second = second_machine;
  outcome_of_run result;
  try {
    for (bool over = false; !over;) {
      try {
        result.end = check_end(w, one_life(w, 0));
        over = true;
      } catch (const crashed&) {
        w.alive = false;
        w.note("difyd is dead and starts again");
      }
    }
  } catch (const violation& what) {
    result.violated = what.what();
    w.note("VIOLATED: " + result.violated);
  }
  result.trace = std::move(w.trace);
  result.points = w.point;
  result.moved = w.catalog != w.left_catalog;
  return result;
}

script shrunk(const scenario& plan, script acts, defect wrong) {
  for (std::size_t i = 0; i < acts.size();) {
    script fewer = acts;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (drive(plan, fewer, wrong).violated.empty())
      ++i;
    else
      acts = std::move(fewer);
  }
  return acts;
}

std::string to_text(const scenario& plan) {
  static constexpr std::array how{"moves", "transactional", "nothing", "refuses", "halfway", "catalog-only"};
  static constexpr std::array up{"well", "second time", "never"};
  return std::string("migration ") + how[static_cast<std::size_t>(plan.how)] + ", comes up " +
         up[static_cast<std::size_t>(plan.up)] + (plan.bundled ? ", bundled database" : "") +
         (plan.replaces_data ? ", data service replaced" : "") +
         (plan.by_boot ? ", asked for by the boot" : "") + (plan.to_fetch ? ", to be fetched" : "");
}

std::string to_text(const script& acts) {
  std::string text;
  for (const auto& each : acts)
    text += (text.empty() ? "" : ", ") + std::to_string(each.point) + " " + to_text(each.what) + " " +
            std::to_string(each.arg);
  return text;
}

}  // namespace difyd::modelled
