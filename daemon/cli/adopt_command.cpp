#include "adopt_command.hpp"

#include <cstdio>
#include <filesystem>

#include "difyd/release/working_copy.hpp"
#include "render_adopt.hpp"
#include "write_configuration.hpp"

namespace difyd::cli {
namespace {

// What difyd would run, beside what docker compose acts on in this folder.
Result<> add_changes(adopt_document& document) {
  if (!document.found.bundle) return {};
  const auto settings = release::read_back(document.become.made, config::this_process());
  if (!settings) return fail(settings.error());
  auto preview = release::preview(*settings, *settings->version, std::nullopt);
  if (!preview) return fail(std::move(preview.error()));
  release::name_set told{"MIGRATION_ENABLED"};
  for (const auto& each : document.become.report.changed) told.insert(each.key);
  document.changes = release::compare(document.found.project, preview->project, told);
  return {};
}

Result<adopt_document> document_of(const std::string& config, const adopt_wish& wish) {
  adopt_document document;
  document.config = config;
  auto found = read_installation(wish, secrets_beside(document.config));
  if (!found) return fail(std::move(found.error()));
  document.found = std::move(*found);
  auto become = release::adopt(document.found.facts);
  if (!become) return fail(std::move(become.error()));
  document.become = std::move(*become);
  if (auto added = add_changes(document); !added) return fail(std::move(added.error()));
  return document;
}

}  // namespace

int adopt(const options& given, const adopt_wish& wish) {
  const std::string config = std::filesystem::absolute(given.config).lexically_normal();
  if (const auto free = refuse_existing(config); !free && !wish.dry_run)
    return report(free.error(), exit_code_for_writing(free.error()));
  auto document = document_of(config, wish);
  if (!document) return report(document.error(), exit_code_for_writing(document.error()));
  if (!wish.dry_run) {
    const std::string head =
        "# Made by difyd adopt of " + document->found.folder + ". Every key: difyd config reference\n";
    if (auto written = write_configuration(config, head, document->become.made); !written)
      return report(written.error(), exit_code_for_writing(written.error()));
    document->written = true;
  }
  std::printf("%s", given.json ? (to_json(*document) + "\n").c_str() : render(*document).c_str());
  return succeeded;
}

}  // namespace difyd::cli
