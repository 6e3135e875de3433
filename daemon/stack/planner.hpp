// The state of one planning; private to stack.
#pragma once

#include "difyd/stack/labels.hpp"
#include "difyd/stack/plan.hpp"
#include "graph.hpp"

namespace difyd::stack {

// What became of one service while planning.
struct service_outcome {
  std::vector<int> started;  // operations after which its containers run anew
  std::vector<int> made;     // creations
  bool changed() const { return !started.empty(); }
};

enum class fate { keep, start, recreate };

struct verdict {
  enum fate fate = fate::keep;
  std::string cause;
};

class planner {
 public:
  planner(std::shared_ptr<const compose::project> project, const observed& now, const plan_options& options);
  Result<Plan> run();

 private:
  using container = observed_container;

  Result<> choose_services();
  void repair_leftovers();
  Result<> make_networks();
  Result<> make_volumes();
  Result<> check_scale() const;
  Result<> handle_orphans();
  Result<> plan_service(const std::string& name);
  Result<> plan_container(const compose::service& s, const container& c, const verdict& v);
  Result<> plan_new(const compose::service& s, int number);
  void restart_followers();
  void note_kept();

  verdict judge(const compose::service& s, const container& c) const;
  std::optional<std::string> reason_to_recreate(const compose::service& s, const container& c) const;
  bool same_configuration(const compose::service& s, const container& c) const;
  bool finished_one_shot(const compose::service& s, const container& c) const;
  std::optional<std::string> unmounted_volume(const compose::service& s, const container& c) const;
  std::vector<int> renew_network(const std::string& key);
  std::string keeper_of(const std::string& network, const std::vector<const container*>& users) const;
  // Why it has to be another container, by its networks.
  std::optional<std::string> replaced_network(const compose::service& s, const container& c) const;
  std::optional<std::string> renewed_namespace(const compose::service& s) const;

  operation& add(op_kind kind, std::string target, std::string cause);
  operation& add_for(op_kind kind, const container& c, std::string cause);
  void stop_and_remove(const container& c, const std::string& cause, std::vector<int>& removals);
  void start(const compose::service& s, int number, const container* c, std::string cause,
             std::vector<int> after);
  void wait_for_dependencies(const compose::service& s, operation& op) const;
  Result<std::vector<int>> prepare(const compose::service& s);  // what a creation comes after
  Result<std::vector<int>> bind_sources(const compose::service& s);
  Result<int> missing_source(const compose::service& s, const std::string& source, const std::string& target,
                             bool may_create);
  Result<std::optional<int>> image(const compose::service& s);
  std::optional<int> take_policy(const compose::service& s, int number, const container* c,
                                 std::vector<int> after);
  void connect_missing(const compose::service& s, const container& c);
  std::vector<inherited_volume> inherited_by(const compose::service& s, const container& c) const;
  std::vector<const container*> alive(const std::string& service) const;
  bool in_scope(const std::string& service) const { return scope_.contains(service); }

  std::shared_ptr<const compose::project> project_;
  const observed& now_;
  const plan_options& options_;
  Plan plan_;
  service_graph graph_;
  std::set<std::string> scope_;
  std::vector<const container*> kept_;                // by judgement
  std::set<std::string> one_shots_;                   // somebody waits for their successful end
  std::map<std::string, std::string> renamed_;        // container id -> final name
  std::map<std::string, int> renames_;                // container id -> operation
  std::set<std::string> doomed_;                      // ids that this plan removes
  std::map<std::string, std::vector<int>> networks_;  // key -> operations after which it is there
  std::map<std::string, std::vector<int>> volumes_;
  std::set<std::string> renewed_networks_;  // keys: their configuration changed
  std::map<std::string, int> pulls_;
  std::map<std::string, int> folders_;
  std::vector<int> orphans_gone_;
  std::map<std::string, std::vector<int>>
      leftovers_gone_;  // service -> removals that its containers come after
  std::map<std::string, service_outcome> outcomes_;
  compose::text_map namespace_ids_;  // service -> its first container
};

// Whether a network or volume that docker compose 2.x or difyd made was made from another configuration.
// What bears no hash is left alone, as docker compose does; what newer releases hash is not known here.
bool changed(const compose::text_map& labels, const std::string& hash);

// Moves the pulls to the front and lets what creates, stops or removes come after all of them.
void pulls_first(Plan& plan);

// The restart policy that the file asks for, as set_restart_policy writes it; "no" where it asks for none.
std::string policy_of(const compose::service& s);

}  // namespace difyd::stack
