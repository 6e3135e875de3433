#include <functional>
#include <unordered_map>

#include "merge.hpp"
#include "mounts.hpp"
#include "rules.hpp"

namespace difyd::compose {
namespace {

enum class identity { none, key, item, target, device, secret, config, port, path };
using identity_rules = rules<identity>;

const identity_rules& identities() {
  static const identity_rules table{
      {"networks.*.labels", identity::key},
      {"networks.*.ipam.options", identity::key},
      {"services.*.annotations", identity::key},
      {"services.*.build.args", identity::key},
      {"services.*.build.additional_contexts", identity::key},
      {"services.*.build.platforms", identity::key},
      {"services.*.build.tags", identity::key},
      {"services.*.build.labels", identity::key},
      {"services.*.cap_add", identity::key},
      {"services.*.cap_drop", identity::key},
      {"services.*.devices", identity::device},
      {"services.*.configs", identity::config},
      {"services.*.deploy.labels", identity::key},
      {"services.*.dns", identity::key},
      {"services.*.dns_opt", identity::key},
      {"services.*.dns_search", identity::key},
      {"services.*.environment", identity::key},
      {"services.*.env_file", identity::path},
      {"services.*.expose", identity::item},
      {"services.*.labels", identity::key},
      {"services.*.links", identity::key},
      {"services.*.networks.*.aliases", identity::key},
      {"services.*.networks.*.link_local_ips", identity::key},
      {"services.*.ports", identity::port},
      {"services.*.profiles", identity::key},
      {"services.*.secrets", identity::secret},
      {"services.*.sysctls", identity::key},
      {"services.*.tmpfs", identity::key},
      {"services.*.volumes", identity::target},
  };
  return table;
}

std::string text_at(const node& n, std::string_view key, std::string_view otherwise) {
  const node* found = n.find(key);
  return std::string(found ? found->text : otherwise);
}

std::string port_identity(const node& n) {
  if (n.is != kind::mapping) return std::string(n.text);
  return text_at(n, "host_ip", "0.0.0.0") + ":" + text_at(n, "published", "-") + ":" +
         text_at(n, "target", "") + "/" + text_at(n, "protocol", "tcp");
}

std::string device_identity(const node& n) {
  if (n.is == kind::mapping) return text_at(n, "target", "");
  const auto colon = n.text.find(':');
  if (colon == std::string_view::npos) return std::string(n.text);
  const std::string_view rest = n.text.substr(colon + 1);
  return std::string(rest.substr(0, rest.find(':')));
}

std::string file_identity(const node& n, std::string_view folder) {
  if (n.is != kind::mapping) return std::string(folder) + "/" + std::string(n.text);
  if (n.find("target")) return text_at(n, "target", "");
  return std::string(folder) + "/" + text_at(n, "source", "");
}

class deduplicator {
 public:
  explicit deduplicator(workspace& w) : w_(w) {}

  void visit(node& n, const identity_rules* at) {
    if (!at) return;
    if (n.is == kind::mapping)
      for (auto& f : n.fields) visit(f.value, at->below(f.key));
    if (n.is == kind::sequence && at->action != identity::none) reduce(n, at->action);
  }

 private:
  std::string identify(const node& n, identity how) {
    switch (how) {
      case identity::target:
        return n.is == kind::mapping ? text_at(n, "target", "") : mount_target(w_, n);
      case identity::device:
        return device_identity(n);
      case identity::secret:
        return file_identity(n, "/run/secrets");
      case identity::config:
        return file_identity(n, "");
      case identity::port:
        return port_identity(n);
      case identity::path:
        return n.is == kind::mapping ? text_at(n, "path", "") : std::string(n.text);
      case identity::key:
        return std::string(n.text.substr(0, n.text.find('=')));
      default:
        return std::string(n.text);
    }
  }

  void reduce(node& list, identity how) {
    std::unordered_map<std::string, std::size_t> known;
    std::vector<field> kept;
    kept.reserve(list.fields.size());
    for (auto& f : list.fields) {
      const auto [old, fresh] = known.emplace(identify(f.value, how), kept.size());
      if (fresh)
        kept.push_back(std::move(f));
      else
        kept[old->second] = std::move(f);
    }
    list.fields = std::move(kept);
  }

  workspace& w_;
};

}  // namespace

void drop_duplicates(workspace& w, node& document) { deduplicator(w).visit(document, &identities()); }

}  // namespace difyd::compose
