#include "bus.hpp"

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace difyd::host::bus {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* object = "/org/freedesktop/systemd1";
constexpr const char* manager = "org.freedesktop.systemd1.Manager";
constexpr const char* unit_interface = "org.freedesktop.systemd1.Unit";
constexpr const char* private_address = "unix:path=/run/systemd/private";  // what systemctl uses as root

struct closing {
  void operator()(sd_bus* each) const { sd_bus_close_unref(each); }
  void operator()(sd_bus_message* each) const { sd_bus_message_unref(each); }
  void operator()(sd_bus_slot* each) const { sd_bus_slot_unref(each); }
};
using connection = std::unique_ptr<sd_bus, closing>;
using message = std::unique_ptr<sd_bus_message, closing>;
using slot = std::unique_ptr<sd_bus_slot, closing>;

class bus_error {
 public:
  bus_error() = default;
  bus_error(const bus_error&) = delete;
  bus_error& operator=(const bus_error&) = delete;
  ~bus_error() { sd_bus_error_free(&error_); }
  sd_bus_error* get() { return &error_; }
  bool is(std::string_view name) const { return error_.name && name == error_.name; }
  bool ends(std::string_view name) const {
    return error_.name && std::string_view(error_.name).ends_with(name);
  }
  std::string text(int cause) const {
    return error_.message && *error_.message ? error_.message : std::strerror(-cause);
  }

 private:
  sd_bus_error error_{};  // SD_BUS_ERROR_NULL is a literal of C
};

// 0 would mean the library's own default.
std::uint64_t left(deadline end) {
  const auto time = duration_cast<microseconds>(end - std::chrono::steady_clock::now()).count();
  return time > 1 ? static_cast<std::uint64_t>(time) : 1;
}

std::unexpected<Error> cannot(const std::string& what, const bus_error& error, int cause) {
  const std::string sentence = "cannot " + what + ": " + error.text(cause);
  if (error.ends(".NoSuchUnit") || error.ends(".LoadFailed") || error.ends(".UnitMasked"))
    return fail("unit-missing", sentence, "Is it installed, and not masked? systemctl list-unit-files");
  if (error.is(SD_BUS_ERROR_ACCESS_DENIED) || error.ends(".InteractiveAuthorizationRequired") ||
      cause == -EACCES || cause == -EPERM)
    return fail("systemd-refused", sentence, "Run difyd as root, as its unit does");
  if (error.is(SD_BUS_ERROR_NO_REPLY) || error.is(SD_BUS_ERROR_TIMEOUT) || cause == -ETIMEDOUT)
    return fail("deadline-exceeded", "cannot " + what + ": systemd did not answer in time",
                "Look at systemd itself: systemctl list-jobs; journalctl -b _PID=1");
  return fail("systemd-away", sentence, "Is D-Bus running? systemctl status dbus");
}

// sd_bus_call() itself would wait for a bus that takes connections and says nothing for 90 s.
int await_ready(sd_bus* bus, deadline end) {
  for (;;) {
    if (const int ready = sd_bus_is_ready(bus); ready != 0) return ready;
    if (std::chrono::steady_clock::now() >= end) return -ETIMEDOUT;
    const int done = sd_bus_process(bus, nullptr);
    if (done < 0) return done;
    if (done == 0)
      if (const int waited = sd_bus_wait(bus, left(end)); waited < 0 && waited != -EINTR) return waited;
  }
}

Result<connection> ready(sd_bus* raw, int opened, const std::string& what, deadline end) {
  connection bus(opened >= 0 ? raw : nullptr);
  const int done = opened < 0 ? opened : await_ready(raw, end);
  if (done < 0) return cannot(what, bus_error(), done);
  return bus;
}

// The bus, else systemd itself: an installation without a bus, or with a dead one, has mounts too.
Result<connection> connect(const std::string& what, deadline end) {
  if (sd_booted() <= 0)
    return fail("systemd-missing", "cannot " + what + ": this machine was not started by systemd",
                "Do it by the means of this machine");
  const auto now = std::chrono::steady_clock::now();
  sd_bus* raw = nullptr;
  const int opened = sd_bus_open_system(&raw);
  auto bus = ready(raw, opened, what, now + (end - now) / 3);
  if (bus || ::geteuid() != 0 || sd_bus_new(&raw) < 0) return bus;
  int started = sd_bus_set_address(raw, private_address);
  if (started >= 0) started = sd_bus_start(raw);
  auto direct = ready(raw, started, what, end);
  if (started < 0) sd_bus_unref(raw);
  return direct ? std::move(direct) : std::move(bus);
}

using words = std::vector<std::string>;

// A call to the manager with string arguments; a reply that never comes costs what is left until `end`.
Result<message> call(sd_bus* bus, const std::string& what, deadline end, const char* method,
                     const words& arguments = {}) {
  sd_bus_message* raw = nullptr;
  if (const int made = sd_bus_message_new_method_call(bus, &raw, service, object, manager, method); made < 0)
    return cannot(what, bus_error(), made);
  const message request(raw);
  for (const auto& each : arguments)
    if (const int put = sd_bus_message_append_basic(raw, 's', each.c_str()); put < 0)
      return cannot(what, bus_error(), put);
  bus_error error;
  sd_bus_message* reply = nullptr;
  if (const int done = sd_bus_call(bus, raw, left(end), error.get(), &reply); done < 0)
    return cannot(what, error, done);
  return message(reply);
}

Result<std::string> call_for_path(sd_bus* bus, const std::string& what, deadline end, const char* method,
                                  const words& arguments) {
  auto reply = call(bus, what, end, method, arguments);
  if (!reply) return std::unexpected(std::move(reply.error()));
  const char* path = nullptr;
  if (const int read = sd_bus_message_read_basic(reply->get(), 'o', &path); read < 0)
    return cannot(what, bus_error(), read);
  return std::string(path);
}

// "org.freedesktop.systemd1.Mount" for "srv.mount".
std::string type_interface(const std::string& unit) {
  std::string type = unit.substr(unit.rfind('.') + 1);
  if (!type.empty()) type[0] = static_cast<char>(type[0] - 'a' + 'A');
  return std::string(service) + "." + type;
}

// Not every type has every property: one that is not there is "".
std::string property(sd_bus* bus, const std::string& path, const std::string& interface, const char* name,
                     deadline end) {
  sd_bus_message* raw = nullptr;
  if (sd_bus_message_new_method_call(bus, &raw, service, path.c_str(), "org.freedesktop.DBus.Properties",
                                     "Get") < 0)
    return {};
  const message request(raw);
  if (sd_bus_message_append(raw, "ss", interface.c_str(), name) < 0) return {};
  sd_bus_message* answer = nullptr;
  bus_error error;
  if (sd_bus_call(bus, raw, left(end), error.get(), &answer) < 0) return {};
  const message reply(answer);
  const char* text = nullptr;
  if (sd_bus_message_read(answer, "v", "s", &text) < 0) return {};
  return text;
}

using job_results = std::map<std::string, std::string, std::less<>>;  // path -> "done", "failed", …

int on_job_removed(sd_bus_message* signal, void* data, sd_bus_error*) {
  std::uint32_t id = 0;
  const char *path = nullptr, *unit = nullptr, *result = nullptr;
  if (sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) >= 0)
    static_cast<job_results*>(data)->insert_or_assign(path, result);
  return 0;
}

// A job may end before the call that made it returns, so every ending is kept from before the call on.
Result<std::string> await_job(sd_bus* bus, const job_results& ended, const std::string& path,
                              const std::string& what, deadline end) {
  for (;;) {
    if (const auto found = ended.find(path); found != ended.end()) return found->second;
    const int done = sd_bus_process(bus, nullptr);
    if (done < 0) return cannot(what, bus_error(), done);
    if (done > 0) continue;
    if (std::chrono::steady_clock::now() >= end) return cannot(what, bus_error(), -ETIMEDOUT);
    if (const int waited = sd_bus_wait(bus, left(end)); waited < 0 && waited != -EINTR)
      return cannot(what, bus_error(), waited);
  }
}

Result<unit_state> state_on(sd_bus* bus, const std::string& unit, const std::string& what, deadline end) {
  auto path = call_for_path(bus, what, end, "LoadUnit", {unit});
  if (!path) return std::unexpected(std::move(path.error()));
  unit_state state;
  state.load = property(bus, *path, unit_interface, "LoadState", end);
  state.active = property(bus, *path, unit_interface, "ActiveState", end);
  state.file = property(bus, *path, unit_interface, "FragmentPath", end);
  state.result = property(bus, *path, type_interface(unit), "Result", end);
  if (unit.ends_with(".mount")) state.source = property(bus, *path, type_interface(unit), "What", end);
  if (state.load.empty() || state.active.empty()) return cannot(what, bus_error(), -ETIMEDOUT);
  return state;
}

}  // namespace

Result<unit_state> unit_state_of(const std::string& unit, deadline end) {
  const std::string what = "ask systemd about " + unit;
  auto bus = connect(what, end);
  if (!bus) return std::unexpected(std::move(bus.error()));
  return state_on(bus->get(), unit, what, end);
}

Result<> run_job(const std::string& method, const std::string& verb, const std::string& unit, deadline end) {
  const std::string what = verb + " " + unit;
  auto bus = connect(what, end);
  if (!bus) return std::unexpected(std::move(bus.error()));
  job_results ended;
  sd_bus_slot* raw = nullptr;
  if (const int matched = sd_bus_match_signal_async(bus->get(), &raw, service, object, manager, "JobRemoved",
                                                    on_job_removed, nullptr, &ended);
      matched < 0)
    return cannot(what, bus_error(), matched);
  const slot watching(raw);
  if (auto subscribed = call(bus->get(), what, end, "Subscribe"); !subscribed)
    return std::unexpected(std::move(subscribed.error()));
  (void)call(bus->get(), what, end, "ResetFailedUnit", {unit});  // refuses a unit that has not failed
  auto job = call_for_path(bus->get(), what, end, method.c_str(), {unit, "replace"});
  if (!job) return std::unexpected(std::move(job.error()));
  auto result = await_job(bus->get(), ended, *job, what, end);
  if (!result) return std::unexpected(std::move(result.error()));
  if (*result == "done") return {};
  const auto state = state_on(bus->get(), unit, what, end);
  const std::string unit_result = state && !state->result.empty() ? " (" + state->result + ")" : "";
  return fail("unit-failed", "cannot " + what + ": its job ended as \"" + *result + "\"" + unit_result,
              "See why: journalctl -u " + unit + " -n 50");
}

Result<> reload_units(deadline end) {
  const std::string what = "have systemd read its unit files";
  auto bus = connect(what, end);
  if (!bus) return std::unexpected(std::move(bus.error()));
  auto done = call(bus->get(), what, end, "Reload");
  if (!done) return std::unexpected(std::move(done.error()));
  return {};
}

}  // namespace difyd::host::bus
