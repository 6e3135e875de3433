#include "long_form.hpp"

#include "mounts.hpp"
#include "ports.hpp"

namespace difyd::compose {
namespace {

class expander {
 public:
  explicit expander(workspace& w) : w_(w) {}

  void document(node& n) {
    if (node* services = n.find("services"); services && services->is == kind::mapping)
      for (auto& f : services->fields)
        if (f.value.is == kind::mapping) service(f.value, {&services_, f.key});
    for (const std::string_view group : {"volumes", "networks", "secrets", "configs"})
      if (node* all = n.find(group); all && all->is == kind::mapping)
        for (auto& f : all->fields) external(f.value, std::string(group) + "." + std::string(f.key));
  }

 private:
  void service(node& s, const trail& path) {
    for (auto& f : s.fields) {
      const trail here{&path, f.key};
      if (f.key == "volumes") each_text(f.value, [&](node& n) { n = long_mount(w_, n); });
      if (f.key == "ports") ports(f.value, here);
      if (f.key == "depends_on") dependencies(f.value, here);
      if (f.key == "networks" || f.key == "models") keys_of_list(f.value, here);
      if (f.key == "env_file") env_files(f.value);
      if (f.key == "dns" || f.key == "label_file") list_of_text(f.value);
      if (f.key == "dns") drop_empty(f.value);
      if (f.key == "devices") each_text(f.value, [&](node& n) { n = device(n); });
      if (f.key == "secrets" || f.key == "configs")
        each_text(f.value, [](node& n) { n = wrapped("source", n); });
      if (f.key == "extends" && f.value.is == kind::text) f.value = wrapped("service", f.value);
      if (f.key == "gpus" && f.value.is == kind::text) f.value = listed(wrapped("count", f.value));
      if (f.key == "build") build(f.value, here);
      if (f.key == "provider") provider_options(f.value.find("options"));
    }
  }

  template <class F>
  static void each_text(node& list, F change) {
    if (list.is != kind::sequence) return;
    for (auto& f : list.fields)
      if (f.value.is == kind::text) change(f.value);
  }

  static node wrapped(std::string_view key, const node& n) {
    node map = make(kind::mapping, n.at);
    map.set(key, n);
    return map;
  }

  static node listed(node n) {
    node list = make(kind::sequence, n.at);
    const place at = n.at;
    list.fields.push_back({{}, at, std::move(n)});
    return list;
  }

  static void list_of_text(node& n) {
    if (n.is == kind::text) n = listed(n);
  }

  static void drop_empty(node& n) {
    std::erase_if(n.fields, [](const field& f) {
      return f.value.is == kind::null || (f.value.is == kind::text && f.value.text.empty());
    });
  }

  // Every option of a provider is a list of strings.
  void provider_options(node* options) {
    if (!options || options->is != kind::mapping) return;
    for (auto& f : options->fields) {
      if (f.value.is_scalar() && f.value.is != kind::null) f.value = listed(f.value);
      for (auto& item : f.value.fields)
        if (item.value.is_scalar()) item.value = make_text(item.value.text, item.value.at);
    }
  }

  void ports(node& n, const trail& path) {
    if (n.is != kind::sequence)
      refuse(w_, n.at, path.text() + " must be a list, not " + std::string(name_of(n.is)));
    node list = make(kind::sequence, n.at);
    for (auto& f : n.fields) {
      if (f.value.is == kind::text || f.value.is == kind::integer)
        add_long_ports(w_, f.value, list);
      else if (f.value.is == kind::mapping)
        list.fields.push_back(std::move(f));
      else
        refuse(w_, f.value.at, path.text() + ": a port must be a string, a number or a mapping",
               "Put the port in quotes: \"8080:80\"");
    }
    n = std::move(list);
  }

  void dependencies(node& n, const trail& path) {
    if (n.is == kind::sequence) keys_of_list(n, path);
    if (n.is != kind::mapping)
      refuse(w_, n.at, path.text() + " must be a list or a mapping, not " + std::string(name_of(n.is)));
    for (auto& f : n.fields) {
      const bool made = f.value.is == kind::null && f.value.boolean;  // of a list
      if (made) f.value = make(kind::mapping, f.at);
      if (f.value.is != kind::mapping)
        refuse(w_, f.value.at,
               path.text() + "." + std::string(f.key) + " must be a mapping, not " +
                   std::string(name_of(f.value.is)),
               "Give it `condition: service_started`, or write the list form");
      if (!f.value.find("condition") && made) f.value.set("condition", make_text("service_started", f.at));
      if (!f.value.find("required")) f.value.set("required", make_boolean(true, f.at));
    }
  }

  // [a, b] -> {a: , b: }; the nulls are marked (boolean) as made here.
  void keys_of_list(node& n, const trail& path) {
    if (n.is != kind::sequence) return;
    node map = make(kind::mapping, n.at);
    for (const auto& f : n.fields) {
      if (f.value.is != kind::text)
        refuse(w_, f.value.at, path.text() + " must list names, not " + std::string(name_of(f.value.is)));
      if (map.find(f.value.text))
        refuse(w_, f.value.at, path.text() + " lists \"" + std::string(f.value.text) + "\" twice",
               "Keep one");
      node empty = make(kind::null, f.value.at);
      empty.boolean = true;
      map.set(f.value.text, std::move(empty));
    }
    n = std::move(map);
  }

  void env_files(node& n) {
    list_of_text(n);
    each_text(n, [](node& item) { item = wrapped("path", item); });
  }

  node device(const node& n) {
    std::vector<std::string_view> parts;
    for (std::string_view left = n.text;;) {
      const auto colon = left.find(':');
      parts.push_back(left.substr(0, colon));
      if (colon == std::string_view::npos) break;
      left.remove_prefix(colon + 1);
    }
    if (parts.size() > 3)
      refuse(w_, n.at, "confusing device mapping, please use long syntax: " + std::string(n.text));
    node map = make(kind::mapping, n.at);
    map.set("source", make_text(parts[0], n.at));
    map.set("target", make_text(parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0], n.at));
    map.set("permissions", make_text(parts.size() > 2 ? parts[2] : "rwm", n.at));
    return map;
  }

  void build(node& n, const trail& path) {
    if (n.is == kind::text) n = wrapped("context", n);
    if (n.is != kind::mapping)
      refuse(w_, n.at, path.text() + " must be a string or a mapping, not " + std::string(name_of(n.is)));
    if (node* secrets = n.find("secrets")) each_text(*secrets, [](node& s) { s = wrapped("source", s); });
    for (const std::string_view key : {"additional_contexts", "ssh"})
      if (node* pairs = n.find(key); pairs && pairs->is == kind::sequence) *pairs = from_pairs(*pairs);
  }

  static node from_pairs(const node& list) {
    node map = make(kind::mapping, list.at);
    for (const auto& f : list.fields) {
      const auto equals = f.value.text.find('=');
      const bool valued = equals != std::string_view::npos;
      map.set(f.value.text.substr(0, equals),
              valued ? make_text(f.value.text.substr(equals + 1), f.value.at) : make(kind::null, f.value.at));
    }
    return map;
  }

  void external(node& n, const std::string& path) {
    if (n.is != kind::mapping) return;
    node* external = n.find("external");
    if (!external || external->is != kind::mapping) return;
    const node* inner = external->find("name");
    const node* name = n.find("name");
    if (inner) w_.warn(path + ": external.name is deprecated. Please set name and external: true");
    if (inner && name && inner->text != name->text)
      refuse(w_, inner->at, path + ": name and external.name conflict; only use name");
    const node taken = inner ? *inner : node{};
    *external = make_boolean(true, external->at);
    if (inner && !name) n.set("name", taken);
  }

  workspace& w_;
  trail services_{nullptr, "services"};
};

void default_devices(node* list) {
  if (!list || list->is != kind::sequence) return;
  for (auto& f : list->fields)
    if (f.value.is == kind::mapping && !f.value.find("count") && !f.value.find("device_ids"))
      f.value.set("count", make_text("all", f.value.at));
}

const node* at_path(const node* n, std::initializer_list<std::string_view> path) {
  for (const auto key : path)
    if (n) n = n->find(key);
  return n;
}

void default_secret_targets(workspace& w, node* secrets) {
  if (!secrets || secrets->is != kind::sequence) return;
  for (auto& f : secrets->fields) {
    const node* source = f.value.find("source");
    if (!source || f.value.find("target")) continue;
    const auto target = w.keep("/run/secrets/" + std::string(source->text));
    f.value.set("target", make_text(target, f.at));
  }
}

void service_defaults(workspace& w, node& s) {
  default_secret_targets(w, s.find("secrets"));
  if (node* ports = s.find("ports"))
    for (auto& f : ports->fields) {
      if (!f.value.find("protocol")) f.value.set("protocol", make_text("tcp", f.at));
      if (!f.value.find("mode")) f.value.set("mode", make_text("ingress", f.at));
    }
  default_devices(s.find("gpus"));
  default_devices(const_cast<node*>(at_path(&s, {"deploy", "resources", "reservations", "devices"})));
  if (node* build = s.find("build"); build && build->is == kind::mapping && !build->find("context"))
    build->set("context", make_text(".", build->at));
}

}  // namespace

void to_long_form(workspace& w, node& document) { expander(w).document(document); }

void set_defaults(workspace& w, node& document) {
  if (node* services = document.find("services"))
    for (auto& f : services->fields) service_defaults(w, f.value);
}

}  // namespace difyd::compose
