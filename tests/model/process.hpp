// One difyd process in the modelled world: what daemon/supervisor does, with every wait and every
// effect a point at which it may be killed. The ledger's changes, choose_start, next and run are the
// real ones.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "difyd/upgrade/runner.hpp"
#include "world.hpp"

namespace difyd::modelled {

struct standing {
  enum where { nowhere, serving, holding, waiting_for_lease } at = nowhere;
  std::string why;
};

class process final : public upgrade::effects {
 public:
  process(asio::io_context& loop, world& w, int machine);

  // Starts, carries out what is asked for, and rests; the last word is where it stands.
  task<standing> live();

  task<Result<>> record(upgrade::mark entry, std::string detail) override;
  task<upgrade::step_result> admit() override;
  task<upgrade::step_result> prepare() override;
  task<upgrade::step_result> drain() override;
  task<upgrade::step_result> stop() override;
  task<upgrade::step_result> backup() override;
  task<upgrade::step_result> migrate() override;
  task<upgrade::step_result> start() override;
  task<upgrade::step_result> verify() override;
  task<upgrade::step_result> commit() override;
  task<upgrade::step_result> put_back() override;
  task<Result<>> ready(upgrade::step) override;
  bool irreversible_before() const override;
  bool abort_requested() const override { return w_.abort; }
  task<void> abort() override;

 private:
  using change = Result<ledger::record>;

  task<void> at(const char* what);
  task<Result<>> write(change next);
  task<standing> boot();
  task<standing> run_deployed();
  task<standing> carry_through(int to, std::string id, std::vector<upgrade::mark> marks);
  task<Result<>> tell_ledger(const upgrade::outcome& outcome);
  task<bool> reach_database();
  task<bool> still_serves();

  bool is(defect which) const { return w_.wrong == which; }
  bool take_lease();
  void fence();
  Result<> engine_answers() const;
  void begin(upgrade::step at);
  task<Result<>> stop_all(role what);
  task<Result<>> remove_strangers(int version);
  task<Result<>> bring_up(int version, std::vector<role> services);
  task<Result<>> bring_all_up(int version);
  task<Result<>> await_answers(int version);
  task<Result<>> data_up(int version);
  task<Result<>> stop_other(int version);
  task<Result<>> prove_silence();
  task<Result<>> migrators_gone();
  task<upgrade::step_result> bring_new_up();
  task<Result<>> prove_unchanged();
  task<upgrade::step_result> run_migrator();
  bool irreversible_in_journal() const;
  bool has_moved() const;

  world& w_;
  const int machine_;
  ledger::record book_;
  asio::steady_timer aborted_;
  upgrade::step step_ = upgrade::step::admit;
  bool stepping_ = false;
  bool had_lease_ = false;
  bool journaled_ = false;
  bool inherited_ = false;
  int from_ = 1, to_ = 2;
  std::string id_;
  bool settled_ = false;
  bool watches_ = false;    // w.in_force: what runs is known, and what falls is started again
  bool unsettled_ = false;  // a write failed, and the file may say otherwise than book_
  std::optional<ledger::deployment> committed_;
};

std::vector<upgrade::mark> marks_of(const ledger::journal& journal);

}  // namespace difyd::modelled
