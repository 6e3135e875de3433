// The steps of an upgrade (and of the first installation) on the real engine, database and
// share. Each may be repeated after an interruption at any point in it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "difyd/release/advisories.hpp"
#include "difyd/upgrade/effects.hpp"
#include "engine_work.hpp"
#include "upgrading.hpp"
#include "world.hpp"

namespace difyd::supervisor {

class upgrade_work final : public upgrade::effects {
 public:
  // `journaled`: an upgrade found in flight, whose journal is begun already.
  upgrade_work(world& w, std::string id, version to, std::string origin, bool journaled, upgrade_terms terms);
  ~upgrade_work() override;  // the guard ends with the upgrade

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
  task<Result<>> ready(upgrade::step at) override;
  task<void> rest(int failures) override;
  bool irreversible_before() const override { return inherited_; }
  bool abort_requested() const override { return *world_.abort_asked.get(); }
  task<void> abort() override;

  const std::string& id() const { return id_; }
  const std::optional<version>& from() const { return from_; }
  // Whether the journal was begun: from then on the ledger must be told the ending.
  bool journaled() const { return journaled_; }
  // Set by commit: what the ledger is told as deployed.
  const std::optional<ledger::deployment>& committed() const { return committed_; }

 private:
  // The release that is upgraded to, from its working copy; made when first asked for.
  task<Result<release_ptr>> target();
  // The release that served before; null at the first installation.
  task<Result<release_ptr>> source();

  task<Result<>> check_admission();
  task<Result<>> check_plan();
  // One line about what the migration will do.
  task<Result<std::string>> prepare_images();
  // What the advisories want run while the old version serves.
  task<Result<>> run_before();
  task<Result<>> before_stop();
  task<Result<>> keep_target();
  task<Result<>> prepare_backup();
  task<Result<>> have_cloud_backups();
  task<void> end_backup();
  task<Result<>> stop_old(release_ptr old);
  // Stops what runs another image than `what` has for the service: never two versions while one comes up.
  task<Result<>> stop_others(release_ptr what);
  task<std::string> missing();
  task<Result<>> still_up();
  task<Result<>> know_head(const release::release& to);
  task<Result<>> schema_is_head(const release::release& to);
  // The last word before the old version is started: the database is as it left it.
  task<upgrade::step_result> as_left(release_ptr old);
  task<Result<bool>> mark_new_data_service(release_ptr to);
  std::vector<std::string> replaced_in_stop(const release::release& to) const;
  task<Result<>> replace_data_services(release_ptr to);
  task<Result<>> reach_silent_database();
  // Whether the main database is other than before the first run of a migrator of this upgrade.
  task<Result<bool>> has_moved();
  task<upgrade::step_result> migrate_alone(release_ptr to);
  task<upgrade::step_result> run_migrator(release_ptr to);
  // What the migration does not touch and step start would wait for. What fails here is tried again there.
  task<Result<int>> start_others(release_ptr to);
  task<Result<int>> migrator_job(release_ptr to, std::string container, std::string& output);
  task<Result<bool>> migrator_at_work();
  task<Result<>> migrators_gone();
  void tell(std::string line);
  // What may be on the engine and on the databases while this step runs; nothing is guarded before the
  // silence is proven and on the way back.
  std::optional<upgrade::guarded> guard_of(upgrade::step at) const;
  void show(upgrade::mark entry, const std::string& detail);
  // application_name of the sessions; the guard leaves difyd's own alone.
  std::string migrator_name() const { return "difyd-migrate-" + id_; }

  world& world_;
  const std::string id_;
  const version to_;
  const std::string origin_;
  const upgrade_terms terms_;
  bool journaled_;
  const bool resumed_;  // by another process, and maybe another machine, than the one that began it
  std::vector<release::advisory> heeded_;  // of those acknowledged, what applies
  std::vector<std::string> beside_;        // acknowledged ids that are not of this hop
  std::optional<version> from_;
  // A held upgrade that this one replaces had passed the point of no return.
  bool inherited_ = false;
  std::optional<revision> head_;  // of the new image
  std::vector<cloud_run> cloud_runs_;
  release_ptr target_;
  release_ptr source_;
  std::optional<ledger::deployment> committed_;
};

// The journal of the ledger as the upgrade module reads it.
std::vector<upgrade::mark> marks_of(const ledger::journal& journal);

}  // namespace difyd::supervisor
