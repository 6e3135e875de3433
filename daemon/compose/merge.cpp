#include "merge.hpp"

#include <algorithm>
#include <unordered_map>

#include "rules.hpp"

namespace difyd::compose {
namespace {

enum class manner { plain, replace, to_list, to_map, dependencies, hosts, logging, build, pools };
using manner_rules = rules<manner>;

const manner_rules& manners() {
  static const manner_rules table{
      {"networks.*.ipam.config", manner::pools},
      {"networks.*.labels", manner::to_list},
      {"volumes.*.labels", manner::to_list},
      {"services.*.annotations", manner::to_list},
      {"services.*.build", manner::build},
      {"services.*.build.args", manner::to_list},
      {"services.*.build.additional_contexts", manner::to_list},
      {"services.*.build.extra_hosts", manner::hosts},
      {"services.*.build.labels", manner::to_list},
      {"services.*.command", manner::replace},
      {"services.*.depends_on", manner::dependencies},
      {"services.*.deploy.labels", manner::to_list},
      {"services.*.dns", manner::to_list},
      {"services.*.dns_opt", manner::to_list},
      {"services.*.dns_search", manner::to_list},
      {"services.*.entrypoint", manner::replace},
      {"services.*.env_file", manner::to_list},
      {"services.*.label_file", manner::to_list},
      {"services.*.environment", manner::to_list},
      {"services.*.extra_hosts", manner::hosts},
      {"services.*.healthcheck.test", manner::replace},
      {"services.*.labels", manner::to_list},
      {"services.*.logging", manner::logging},
      {"services.*.models", manner::to_map},
      {"services.*.networks", manner::to_map},
      {"services.*.sysctls", manner::to_list},
      {"services.*.tmpfs", manner::to_list},
      {"services.*.ulimits.*", manner::replace},
      {"services.*.volumes.*.volume.labels", manner::to_list},
  };
  return table;
}

class merger {
 public:
  explicit merger(workspace& w) : w_(w) {}

  void merge(node& base, node over, const manner_rules* at, const trail& path) {
    switch (at ? at->action : manner::plain) {
      case manner::plain:
        return plain(base, std::move(over), at, path);
      case manner::replace:
        base = std::move(over);
        return;
      case manner::to_list:
        return append(listed(base), listed(over), base);
      case manner::to_map:
        return mappings(base = mapped(base, false), mapped(over, false), at, path);
      case manner::dependencies:
        return mappings(base = mapped(base, true), mapped(over, true), at, path);
      case manner::hosts:
        return hosts(base, over);
      case manner::logging:
        return logging(base, std::move(over), at, path);
      case manner::build:
        return mappings(base = as_build(base), as_build(over), at, path);
      case manner::pools:
        return pools(base, over, at, path);
    }
  }

 private:
  void plain(node& base, node over, const manner_rules* at, const trail& path) {
    if (over.is == kind::null) return;
    const bool grouped = base.is == kind::mapping || base.is == kind::sequence;
    if (!grouped) {
      base = std::move(over);
      return;
    }
    if (base.is != over.is)
      refuse(w_, over.at,
             "cannot override " + path.text() + ": it is " + std::string(name_of(base.is)) + " in " +
                 w_.where(base.at) + " and " + std::string(name_of(over.is)) + " here");
    if (base.is == kind::mapping) return mappings(base, std::move(over), at, path);
    for (auto& f : over.fields) base.fields.push_back(std::move(f));
  }

  void mappings(node& base, node over, const manner_rules* at, const trail& path) {
    std::unordered_map<std::string_view, std::size_t> known;
    for (std::size_t i = 0; i < base.fields.size(); ++i) known.emplace(base.fields[i].key, i);
    for (auto& f : over.fields) {
      const auto old = known.find(f.key);
      if (old == known.end())
        base.fields.push_back(std::move(f));
      else
        merge(base.fields[old->second].value, std::move(f.value), below(at, f.key), {&path, f.key});
    }
  }

  static void append(node first, node second, node& into) {
    for (auto& f : second.fields) first.fields.push_back(std::move(f));
    into = std::move(first);
  }

  // {A: 1, B: } -> [A=1, B], sorted as docker compose does; a string -> [string]
  node listed(const node& n) {
    node list = make(kind::sequence, n.at);
    if (n.is == kind::sequence) list.fields = n.fields;
    if (n.is == kind::text) list.fields.push_back({{}, n.at, n});
    if (n.is != kind::mapping) return list;
    for (const auto& f : n.fields) {
      if (f.value.is == kind::sequence) {
        for (const auto& item : f.value.fields) add_pair(list, f, item.value);
      } else {
        add_pair(list, f, f.value);
      }
    }
    std::ranges::sort(list.fields, {}, [](const field& f) { return f.value.text; });
    return list;
  }

  void add_pair(node& list, const field& f, const node& value) {
    std::string text(f.key);
    if (value.is != kind::null) text += "=" + std::string(value.text);
    list.fields.push_back({{}, f.at, make_text(w_.keep(text), value.at)});
  }

  static node mapped(const node& n, bool dependency) {
    if (n.is != kind::sequence) return n;
    node map = make(kind::mapping, n.at);
    for (const auto& f : n.fields) {
      node value = make(dependency ? kind::mapping : kind::null, f.at);
      if (dependency) {
        value.set("condition", make_text("service_started", f.at));
        value.set("required", make_boolean(true, f.at));
      }
      map.set(f.value.text, std::move(value));
    }
    return map;
  }

  static node as_build(const node& n) {
    if (n.is != kind::text) return n;
    node map = make(kind::mapping, n.at);
    map.set("context", n);
    return map;
  }

  void hosts(node& base, const node& over) {
    node all = listed(base);
    const std::size_t own = all.fields.size();
    for (auto& f : listed(over).fields) {
      const auto mine = all.fields.begin() + static_cast<std::ptrdiff_t>(own);
      if (std::none_of(all.fields.begin(), mine,
                       [&](const field& b) { return b.value.text == f.value.text; }))
        all.fields.push_back(std::move(f));
    }
    base = std::move(all);
  }

  void logging(node& base, node over, const manner_rules* at, const trail& path) {
    const node* ours = base.find("driver");
    const node* theirs = over.find("driver");
    if (ours && theirs && ours->text != theirs->text)
      base = std::move(over);
    else
      plain(base, std::move(over), at, path);
  }

  void pools(node& base, const node& over, const manner_rules* at, const trail& path) {
    if (base.is != kind::sequence || over.is != kind::sequence) return plain(base, over, nullptr, path);
    const auto subnet = [](const node& n) {
      return n.find("subnet") ? n.find("subnet")->text : std::string_view{};
    };
    for (const auto& f : over.fields) {
      const auto old =
          std::ranges::find_if(base.fields, [&](auto& b) { return subnet(b.value) == subnet(f.value); });
      if (old == base.fields.end())
        base.fields.push_back(f);
      else
        mappings(old->value, f.value, below(at, ""), path);
    }
  }

  workspace& w_;
};

}  // namespace

void merge_documents(workspace& w, node& base, node over) {
  if (base.is == kind::null)
    base = std::move(over);
  else
    merger(w).merge(base, std::move(over), &manners(), {});
}

void merge_services(workspace& w, node& base, node over) {
  const auto* at = manners().below("services")->below("*");
  static const trail services{nullptr, "services"};
  merger(w).merge(base, std::move(over), at, {&services, "*"});
}

}  // namespace difyd::compose
