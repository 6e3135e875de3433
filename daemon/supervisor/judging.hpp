// Findings and phase become the verdict, the verdict becomes a file that difyd-health serves.
#pragma once

#include "world.hpp"

namespace difyd::supervisor {

// Judges and publishes now. Pure but for one small file on a tmpfs.
void publish_now(world& w);

// Publishes every two seconds: difyd-health tells the age of what it serves. Tells what is waited for.
task<void> keep_judging(world& w);

}  // namespace difyd::supervisor
