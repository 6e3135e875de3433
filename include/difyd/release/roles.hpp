// Who is who in a Dify project: by image, as the names of services changed between releases.
// Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/compose/project.hpp"

namespace difyd::release {

// Image reference without registry host, tag and digest: "langgenius/dify-api".
std::string repository(std::string_view image);

// Image of a service, "" where there is no such service.
std::string image_of(const compose::project& project, std::string_view service);

// Services whose image is `name` without its tag ("langgenius/dify-api"), by name.
std::vector<std::string> services_of_image(const compose::project& project, std::string_view name);

// Every service of the api image that runs on: api, worker, worker_beat, api_websocket.
std::vector<std::string> api_services(const compose::project& project);
// The one that answers HTTP (MODE=api), "" where there is none.
std::string api_service(const compose::project& project);
// MODE=worker and MODE=beat: stopped first, with their own grace.
std::vector<std::string> worker_services(const compose::project& project);
// Where a service keeps data of its own: "volumes/db/data" of the bundle, or the key of a volume.
std::set<std::string> data_places(const compose::project& project, const compose::service& service);
// Own data: PostgreSQL, MySQL, Redis, vector stores, plugin daemon.
std::vector<std::string> data_services(const compose::project& project);
// Of these, those that take no part in the schema: PostgreSQL, Redis, the vector store; not the plugin
// daemon, which migrates its own database.
std::vector<std::string> infrastructure(const compose::project& project);
// Must never meet another version on the databases: api image and plugin daemon.
std::vector<std::string> database_users(const compose::project& project);
// Sandbox and forward proxy: they touch no database and the entrance does not show them, so an upgrade need
// not wait for them.
std::vector<std::string> bystanders(const compose::project& project);
// init_permissions: ends once the files of Dify on the storage are uid 1001's, and touches no database
// (Dify FACTS section a).
std::vector<std::string> preparers(const compose::project& project);
// The entrance, "" where there is none; started last.
std::string nginx_service(const compose::project& project);
// Whether the end of a service is its work done: others wait for it to end with 0, or the file says
// that it is never started again.
bool one_shot(const compose::project& project, std::string_view service);
// Every image that the active services name, once, sorted.
std::vector<std::string> images(const compose::project& project);

}  // namespace difyd::release
