// Typed client of the Docker Engine API, versions 1.41 (Engine 20.10) to 1.51, negotiated.
// Many calls may be in flight at once; every call is cancellable and has a deadline of its own.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "difyd/base/task.hpp"
#include "difyd/engine/containers.hpp"
#include "difyd/engine/image.hpp"
#include "difyd/engine/network.hpp"
#include "difyd/http/endpoint.hpp"

namespace difyd::engine {

using filter_map = std::map<std::string, std::vector<std::string>>;

// DOCKER_HOST of the environment ("K=V" entries), default unix:///var/run/docker.sock.
Result<http::endpoint> endpoint_from_environment(const std::vector<std::string>& environment);
Result<http::endpoint> endpoint_from_environment();  // the process's own

// Whether the error says that the engine itself cannot be reached (rather than that it refused).
bool is_unreachable(const Error& error);

// The same error, where the address may be wrong with the setting that it came from in its remedy:
// "DOCKER_HOST", "engine.host".
Error naming_address(Error error, std::string_view setting);

class images_api {
 public:
  explicit images_api(std::shared_ptr<transport> of) : transport_(std::move(of)) {}

  task<Result<image>> inspect(std::string reference, duration limit = default_deadline);
  task<Result<std::vector<image_summary>>> list(filter_map filters = {}, bool all = false,
                                                duration limit = default_deadline);
  // Ends when the image is there: the stream is read to its end, then the image is inspected.
  // Error "image-pull-failed" names image and cause. `idle` bounds the silence between two messages.
  task<Result<image>> pull(std::string reference, std::string platform = {},
                           std::string auth = std::string(anonymous_auth), on_pull_progress progress = {},
                           duration idle = std::chrono::minutes(5));
  // POST /images/create?fromSrc=-: a tar of a root file system becomes an image. `changes` are
  // Dockerfile instructions ("CMD [\"sh\"]"). Gives the image's id.
  task<Result<std::string>> import(std::string tar, std::string name, std::string tag,
                                   std::vector<std::string> changes = {},
                                   duration limit = std::chrono::minutes(10));
  task<Result<>> tag(std::string reference, std::string name, std::string tag,
                     duration limit = default_deadline);
  task<Result<>> remove(std::string reference, bool force = false, duration limit = default_deadline);

 private:
  std::shared_ptr<transport> transport_;
};

class networks_api {
 public:
  explicit networks_api(std::shared_ptr<transport> of) : transport_(std::move(of)) {}

  task<Result<std::vector<network>>> list(filter_map filters = {}, duration limit = default_deadline);
  task<Result<network>> inspect(std::string id, duration limit = default_deadline);
  task<Result<std::string>> create(std::string body, duration limit = default_deadline);  // gives the id
  // `endpoint_config`: JSON text of EndpointConfig, or empty.
  task<Result<>> connect(std::string id, std::string container, std::string endpoint_config = {},
                         duration limit = default_deadline);
  task<Result<>> disconnect(std::string id, std::string container, bool force = false,
                            duration limit = default_deadline);
  task<Result<>> remove(std::string id, duration limit = default_deadline);

 private:
  std::shared_ptr<transport> transport_;
};

class volumes_api {
 public:
  explicit volumes_api(std::shared_ptr<transport> of) : transport_(std::move(of)) {}

  task<Result<std::vector<volume>>> list(filter_map filters = {}, duration limit = default_deadline);
  task<Result<volume>> inspect(std::string name, duration limit = default_deadline);
  task<Result<volume>> create(std::string body, duration limit = default_deadline);
  task<Result<>> remove(std::string name, bool force = false, duration limit = default_deadline);

 private:
  std::shared_ptr<transport> transport_;
};

class client {
 public:
  client(asio::any_io_executor executor, http::endpoint where);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  // Negotiates the version. Other calls do it themselves when it has not been done.
  // Errors besides the transport's: "engine-too-old", "engine-too-new".
  task<Result<engine_version>> connect(duration limit = std::chrono::seconds(10));
  const engine_version& version() const;  // empty texts before connect
  const http::endpoint& where() const;

  task<Result<>> ping(duration limit = std::chrono::seconds(5));
  task<Result<engine_info>> info(duration limit = default_deadline);
  // `since` and `until`: seconds since 1970 with fraction (since_text), or empty.
  task<Result<event_stream>> events(filter_map filters = {}, std::string since = {}, std::string until = {},
                                    duration limit = std::chrono::seconds(10));

 private:
  std::shared_ptr<transport> transport_;

 public:
  containers_api containers;
  images_api images;
  networks_api networks;
  volumes_api volumes;
};

}  // namespace difyd::engine
