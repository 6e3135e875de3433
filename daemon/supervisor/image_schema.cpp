#include "image_schema.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

// In the image's working directory. Not by way of Alembic, which would import each of them with all that
// it imports of Dify. What only a downgrade does is of no interest, nor what a comment or a docstring says.
constexpr const char* read_scripts = R"py(
import ast, glob, json, re

midway = [("autocommit_block", r"\bautocommit_block\b"),
          ("CONCURRENTLY", r"(?i)\bindex\s+concurrently\b|postgresql_concurrently=True"),
          ("COMMIT", r"(?i)['\";]\s*commit\s*['\";]|\\n\s*commit\s*(?:['\";]|\\n)|\.commit\(\)")]

for path in sorted(glob.glob("migrations/versions/*.py")):
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    values, code = {}, []
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in getattr(node, "targets", None) or [node.target]:
                if getattr(target, "id", "") in ("revision", "down_revision") and node.value is not None:
                    values[target.id] = ast.literal_eval(node.value)
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and getattr(node, "name", "") != "downgrade":
            code.append(ast.unparse(node))
    if not values.get("revision"):
        continue
    down = values.get("down_revision") or []
    code = "\n".join(code)
    print(json.dumps({"revision": values["revision"],
                      "down": [down] if isinstance(down, str) else list(down),
                      "text": (ast.get_docstring(tree) or "").strip().split("\n")[0][:200],
                      "commits": ", ".join(name for name, found in midway if re.search(found, code))}))
)py";

task<Result<std::string>> output_of(world& w, std::string container) {
  auto wait = co_await w.engine.containers.wait(container, engine::wait_condition::next_exit);
  if (!wait) co_return fail(wait.error());
  if (auto started = co_await w.engine.containers.start(container); !started) co_return fail(started.error());
  auto ended = co_await wait->result(2min);
  if (!ended) co_return fail(ended.error());
  auto logs = co_await w.engine.containers.logs(container, {}, false);
  if (!logs) co_return fail(logs.error());
  std::string output, errors;
  for (;;) {
    auto frame = co_await logs->next(10s);
    if (!frame) co_return fail(frame.error());
    if (!*frame) break;
    ((*frame)->stream == engine::stream_kind::standard_error ? errors : output) += (*frame)->bytes;
  }
  if (ended->code != 0)
    co_return fail("image-failed", "it ended with " + std::to_string(ended->code) + ": " +
                                       std::string(trim(errors)).substr(0, 400));
  co_return output;
}

// What the command writes to its standard output.
task<Result<std::string>> ask_image(world& w, std::string image, std::vector<std::string> command) {
  const nlohmann::json body{{"Image", image},
                            {"Entrypoint", {command.front()}},
                            {"Cmd", std::vector(command.begin() + 1, command.end())},
                            {"Env", {"MIGRATION_ENABLED=false"}},
                            {"Labels", {{"dev.difyd.purpose", "heads"}}},
                            {"HostConfig", {{"NetworkMode", "none"}}}};
  const std::string name = w.settings.project + "-difyd-heads-" + random_hex(8);
  auto made = co_await w.engine.containers.create(name, body.dump());
  if (!made) co_return fail(made.error());
  auto output = co_await output_of(w, made->id);
  auto removed = co_await w.engine.containers.remove(made->id, true, true);
  if (output && !removed) co_return fail(removed.error());
  co_return output;
}

void collect(const std::map<std::string, const migration_script*>& known, const std::string& revision,
             std::set<std::string>& seen, std::vector<const migration_script*>& in_order) {
  const auto found = known.find(revision);
  if (found == known.end() || !seen.insert(revision).second) return;
  for (const auto& each : found->second->down) collect(known, each, seen, in_order);
  in_order.push_back(found->second);
}

}  // namespace

task<Result<revision>> image_head(world& w, std::string image) {
  const std::vector<std::string> command = {"flask", "db", "heads"};
  auto output = co_await ask_image(w, image, command);
  if (!output && output.error().code == "image-failed")
    co_return fail("image-head-unknown",
                   "cannot ask the image for its schema revision: flask db heads: " + output.error().message);
  if (!output) co_return fail(output.error());
  const auto head = parse_revision(*output);
  if (!head)
    co_return fail("image-head-unknown", "cannot read the schema revision of " + image + " from \"" +
                                             std::string(trim(*output)).substr(0, 200) + "\"");
  co_return *head;
}

task<Result<std::vector<migration_script>>> image_scripts(world& w, std::string image) {
  const std::vector<std::string> command = {"python3", "-c", read_scripts};
  auto output = co_await ask_image(w, image, command);
  if (!output)
    co_return fail("image-scripts-unknown",
                   "cannot read the migrations of " + image + ": " + output.error().message);
  co_return parse_scripts(*output);
}

Result<std::vector<migration_script>> parse_scripts(std::string_view json) {
  std::vector<migration_script> scripts;
  for (const auto& line : split(json, '\n')) {
    if (trim(line).empty()) continue;
    try {
      const auto each = nlohmann::json::parse(line);
      scripts.push_back({each.at("revision").get<std::string>(),
                         each.at("down").get<std::vector<std::string>>(), each.at("text").get<std::string>(),
                         each.at("commits").get<std::string>()});
    } catch (const nlohmann::json::exception& error) {
      return fail("image-scripts-unknown",
                  std::string("cannot read the migrations of the image: ") + error.what());
    }
  }
  return scripts;
}

Result<std::vector<control::planned_migration>> pending(const std::vector<migration_script>& scripts,
                                                        const revision& from, const revision& head) {
  std::map<std::string, const migration_script*> known;
  for (const auto& each : scripts) known[each.revision] = &each;
  if (!known.contains(head.id))
    return fail("image-scripts-unknown", "cannot list the migrations: the image's head " + head.id +
                                             " is in no file of its migrations/versions");
  if (!from.empty() && !known.contains(from.id))
    return fail("revision-unknown", "the image does not know the database's revision " + from.id);
  std::set<std::string> seen;
  std::vector<const migration_script*> done, to_run;
  collect(known, from.id, seen, done);
  collect(known, head.id, seen, to_run);
  std::vector<control::planned_migration> result;
  for (const auto* each : to_run) result.push_back({each->revision, each->text, each->commits});
  return result;
}

std::string count_text(const std::vector<control::planned_migration>& migrations) {
  if (migrations.empty()) return "no migration";
  const auto midway =
      std::ranges::count_if(migrations, [](const auto& each) { return !each.commits.empty(); });
  return std::to_string(migrations.size()) + (migrations.size() == 1 ? " migration" : " migrations") +
         (midway == 0 ? ""
                      : ", " + std::to_string(midway) + (midway == 1 ? " commits" : " commit") + " midway");
}

task<void> sweep_leftovers(world& w) {
  engine::container_filter filter;
  filter.labels = {"dev.difyd.purpose=heads"};
  const auto found = co_await w.engine.containers.list(filter);
  if (!found) co_return;
  for (const auto& each : *found)
    if (each.name().starts_with(w.settings.project + "-difyd-heads-"))
      (void)co_await w.engine.containers.remove(each.id, true, true);
}

}  // namespace difyd::supervisor
