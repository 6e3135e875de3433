// sd_notify(3) without libsystemd: difyd-health is small on purpose.
#pragma once

#include <string_view>

namespace difyd::front {

// Sends "READY=1", "STATUS=…" and so on to $NOTIFY_SOCKET; true when sent, false where
// nobody listens.
bool notify(std::string_view state);

}  // namespace difyd::front
