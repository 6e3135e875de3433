// Who depends on whom; private to stack.
#pragma once

#include "difyd/stack/observed.hpp"

namespace difyd::stack {

// service -> what it depends on. A soft edge (condition empty) only orders.
using service_graph =
    std::map<std::string, std::map<std::string, compose::dependency, std::less<>>, std::less<>>;

service_graph graph_of(const compose::project& p);

// From the depends_on labels of what is on the engine; services without containers are left out.
service_graph graph_of(const observed& now);

// Dependencies first, otherwise by name. What is part of a cycle comes last.
std::vector<std::string> in_order(const service_graph& graph);

// Adds the edge unless it would close a cycle.
void add_soft_edge(service_graph& graph, const std::string& from, const std::string& to);

// The services and everything that they depend on.
std::set<std::string> with_dependencies(const service_graph& graph, const std::vector<std::string>& services);

}  // namespace difyd::stack
