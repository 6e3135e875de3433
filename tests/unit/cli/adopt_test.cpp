#include "../../../daemon/cli/adopt_facts.hpp"
#include "../../../daemon/cli/render_adopt.hpp"
#include "catch.hpp"
#include "difyd/config/table.hpp"

using namespace difyd;
using namespace difyd::cli;

TEST_CASE("the share of a storage root") {
  const auto mounts = host::parse_mountinfo(
      "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
      "30 25 0:40 / /opt/dify-1.11.4/docker/volumes rw - nfs4 10.20.0.2:/share rw\n"
      "31 25 0:41 / /mnt/nfs rw - nfs [fd00::2]:/exports/dify rw\n");
  const auto read = [&](const char* root) {
    config::storage_settings storage = config::defaults().storage;
    storage.root = root;
    const auto decision = read_mount(mounts, storage);
    return storage.kind + " " + storage.server + " " + storage.export_path +
           (decision.empty() ? "" : " decide");
  };
  CHECK(read("/opt/dify-1.11.4/docker/volumes") == "nfs 10.20.0.2 /share");
  CHECK(read("/mnt/nfs") == "nfs [fd00::2] /exports/dify");
  CHECK(read("/mnt/nfs/dify") == "local   decide");
  CHECK(read("/srv/dify") == "local  ");
}

TEST_CASE("what difyd adopt says") {
  adopt_document document;
  document.config = "/etc/difyd/difyd.yaml";
  document.found.folder = "/opt/dify/docker";
  document.found.override_files = {"/opt/dify/docker/docker-compose.override.yaml"};
  document.found.own_files = {"nginx/ssl/dify.crt"};
  document.found.decide = {"first of all"};
  auto& made = document.become.made;
  made.settings = config::defaults();
  made.settings.project = "docker";
  made.settings.version = *parse_version("1.11.4");
  made.settings.storage.root = "/opt/dify/docker/volumes";
  made.folder = "/etc/difyd/secrets";
  made.settings.environment_files["SECRET_KEY"] = made.keep("SECRET_KEY", "hush");
  auto& report = document.become.report;
  report.overrides = {"CONSOLE_WEB_URL"};
  report.secrets = {"SECRET_KEY"};
  report.decide = {"then this"};
  report.changed = {{"MIGRATION_ENABLED", "true", "false", "difyd does it"}};
  for (int i = 0; i < 20; ++i) report.defaulted.push_back("KEY_" + std::to_string(i));
  const auto without = render(document);
  CHECK(without.find("unpack release 1.11.4 to /var/lib/difyd/bundles/dify-1.11.4") != std::string::npos);
  CHECK(without.find("could not be compared") != std::string::npos);
  document.found.bundle.emplace();
  document.written = true;
  document.changes.emplace();
  document.changes->differences = {{"nginx", {"ports"}, {"A", "B"}}};
  document.changes->made_anew = {"api", "nginx"};
  document.changes->stay = {"web"};
  CHECK(
      render(document) ==
      "Dify 1.11.4 in /opt/dify/docker, project docker\n"
      "\n"
      "taken over\n"
      "  storage       /opt/dify/docker/volumes\n"
      "  database      the release's own, databases dify and dify_plugin\n"
      "  vector store  weaviate\n"
      "  redis         the release's own\n"
      "\n"
      "overrides (environment)\n"
      "  CONSOLE_WEB_URL\n"
      "\n"
      "secrets in files (environment_files)\n"
      "  SECRET_KEY\n"
      "\n"
      "not in the .env: the release's default from now on\n"
      "  KEY_0 KEY_1 KEY_2 KEY_3 KEY_4 KEY_5 KEY_6 KEY_7 KEY_8 KEY_9 KEY_10 KEY_11 and 8 more, which --json\n"
      "  names\n"
      "\n"
      "not as it was\n"
      "  key                so far  from now on  because\n"
      "  MIGRATION_ENABLED  true    false        difyd does it\n"
      "\n"
      "difyd does not use /opt/dify/docker/docker-compose.override.yaml\n"
      "\n"
      "files of this folder that the release has not, or has otherwise: difyd takes such files from "
      "releases.overlay only\n"
      "  nginx/ssl/dify.crt\n"
      "\n"
      "services that will differ from those of so far\n"
      "  nginx\n"
      "      ports\n"
      "      environment: A B\n"
      "\n"
      "the first start creates these containers again (their folder is another, at least)\n"
      "  api nginx\n"
      "\n"
      "and leaves these as they are\n"
      "  web\n"
      "\n"
      "to decide\n"
      "  - first of all\n"
      "  - then this\n"
      "\n"
      "written\n"
      "  /etc/difyd/secrets/SECRET_KEY\n"
      "  /etc/difyd/difyd.yaml\n"
      "\n"
      "next\n"
      "  copy the named files that are your own to /etc/difyd/overlay, each at its path, and set "
      "releases.overlay: "
      "/etc/difyd/overlay\n"
      "  difyd config check\n"
      "  difyd check\n"
      "  end whatever runs docker compose in /opt/dify/docker at boot; from now on difyd does\n"
      "  systemctl enable --now difyd difyd-health\n"
      "  difyd status\n");
  CHECK(to_json(document).find("hush") == std::string::npos);
}
