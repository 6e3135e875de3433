#include "paths.hpp"

#include "mounts.hpp"

namespace difyd::compose {
namespace {

bool is_windows_path(std::string_view p) {
  const bool drive = p.size() > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/');
  return drive || p.starts_with("\\\\");
}

bool is_remote(std::string_view p) {
  for (const auto* scheme : {"http://", "https://", "git://", "ssh://", "git@", "github.com/",
                             "docker-image://", "oci://", "oci-layout://", "target:", "service:"})
    if (p.starts_with(scheme)) return true;
  return false;
}

class resolver {
 public:
  resolver(workspace& w, const path_base& base) : w_(w), base_(base) {}

  void document(node& d) {
    each(d.find("services"), [this](node& s) { service(s); });
    for (const auto* group : {"configs", "secrets"})
      each(d.find(group), [this](node& f) { make_absolute(f.find("file")); });
    each(d.find("volumes"), [this](node& v) { driver_options(v); });
  }

 private:
  template <class F>
  static void each(node* all, F visit) {
    if (!all) return;
    for (auto& f : all->fields) visit(f.value);
  }

  void make_absolute(node* n) {
    if (n && n->is == kind::text && !n->text.empty()) n->text = w_.keep(absolute_path(n->text, base_));
  }

  void service(node& s) {
    each(s.find("env_file"), [this](node& e) { make_absolute(e.is == kind::mapping ? e.find("path") : &e); });
    each(s.find("label_file"), [this](node& e) { make_absolute(&e); });
    each(s.find("volumes"), [this](node& v) { mount(v); });
    if (node* extends = s.find("extends"); extends && extends->is == kind::mapping)
      make_absolute(extends->find("file"));
    if (node* build = s.find("build"); build && build->is == kind::mapping) contexts(*build);
    if (node* develop = s.find("develop"))
      each(develop->find("watch"), [this](node& rule) { make_absolute(rule.find("path")); });
  }

  void contexts(node& build) {
    const auto local = [this](node& n) {
      if (n.is == kind::text && !is_remote(n.text)) make_absolute(&n);
    };
    if (node* context = build.find("context")) local(*context);
    each(build.find("additional_contexts"), local);
    each(build.find("ssh"), [this](node& key) { make_absolute(&key); });
  }

  void mount(node& v) {
    const node* type = v.find("type");
    if (v.is != kind::mapping || !type || type->text != "bind") return;
    node* source = v.find("source");
    if (!source || source->is != kind::text)
      refuse(w_, v.at, "invalid mount config for type \"bind\": field source must not be empty",
             "Give it a source, or use type: volume");
    if (source->text.empty())
      source->text = w_.keep(base_.directory);
    else
      make_absolute(source);
  }

  // A local volume with `o: bind` is a bind mount in disguise.
  void driver_options(node& v) {
    const node* driver = v.find("driver");
    node* options = v.find("driver_opts");
    if (!driver || driver->text != "local" || !options) return;
    const node* o = options->find("o");
    if (o && o->text == "bind") make_absolute(options->find("device"));
  }

  workspace& w_;
  const path_base& base_;
};

}  // namespace

std::string absolute_path(std::string_view path, const path_base& base) {
  std::string p(path);
  // Of "~name" too: docker compose knows one home only.
  if (p.starts_with('~') && !base.home.empty()) p = join_path(base.home, std::string_view(p).substr(1));
  if (p.starts_with('/') || is_windows_path(p)) return p;
  return join_path(base.directory, p);
}

void resolve_paths(workspace& w, node& document, const path_base& base) {
  resolver(w, base).document(document);
}

}  // namespace difyd::compose
