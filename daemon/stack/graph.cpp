#include "graph.hpp"

#include "difyd/stack/labels.hpp"

namespace difyd::stack {

service_graph graph_of(const compose::project& p) {
  service_graph graph;
  for (const auto& [name, s] : p.services) {
    auto& edges = graph[name];
    for (const auto& [on, how] : s.depends_on)
      if (p.services.contains(on)) edges.emplace(on, how);
  }
  return graph;
}

service_graph graph_of(const observed& now) {
  service_graph graph;
  for (const auto& c : now.containers)
    if (!c.one_off && !c.service.empty()) graph[c.service];
  for (const auto& c : now.containers) {
    if (c.one_off || c.service.empty()) continue;
    for (const auto& [on, how] : parse_depends_on(c.label(label::depends_on)))
      if (graph.contains(on)) graph[c.service].emplace(on, how);
  }
  return graph;
}

namespace {

void visit(const service_graph& graph, const std::string& name, std::set<std::string>& seen,
           std::vector<std::string>& order) {
  if (!seen.insert(name).second) return;
  const auto node = graph.find(name);
  if (node == graph.end()) return;
  for (const auto& [on, how] : node->second) visit(graph, on, seen, order);
  order.push_back(name);
}

}  // namespace

std::vector<std::string> in_order(const service_graph& graph) {
  std::set<std::string> seen;
  std::vector<std::string> order;
  for (const auto& [name, edges] : graph) visit(graph, name, seen, order);
  return order;
}

std::set<std::string> with_dependencies(const service_graph& graph,
                                        const std::vector<std::string>& services) {
  std::set<std::string> seen;
  std::vector<std::string> order;
  for (const auto& name : services) visit(graph, name, seen, order);
  return {order.begin(), order.end()};
}

void add_soft_edge(service_graph& graph, const std::string& from, const std::string& to) {
  if (!graph.contains(from) || !graph.contains(to) || from == to) return;
  if (with_dependencies(graph, {to}).contains(from)) return;
  graph[from].emplace(to, compose::dependency{"", false, true});
}

}  // namespace difyd::stack
