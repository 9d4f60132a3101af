// SPDX-License-Identifier: Apache-2.0
// cordon-controller: what it says of itself, and its start.
#include "controlplane/app/config.h"
#include "controlplane/app/controller.h"
#include "dataplane/daemon/program.h"

namespace {

constexpr char kHelp[] =
    R"(cordon-controller: keeps the inventory and the allowlists of medical devices, and pushes to every
gateway the policy it shall enforce.

usage: cordon-controller --config FILE [--check-config]

  --config FILE    where to listen and to keep state; every key is explained in
                   configs/controller.yaml
  --check-config   read the file, name every fault with its line, and end; changes nothing
  --version        print the version
  --help           print this

It runs in the foreground and logs to stderr. Gateways keep enforcing while it does not run. SIGTERM
or SIGINT ends it.

Talk to a running controller:
  cordonctl --controller unix:/run/cordon/controller.sock status
  curl http://127.0.0.1:9465/metrics

exit: 0 ended as asked, 1 could not start (the message names the key), 2 wrong usage
)";

}  // namespace

int main(int argc, char** argv) {
  const cordon::dp::Program program{"cordon-controller", CORDON_VERSION, kHelp};
  return cordon::dp::RunProgram(program, argc, argv, cordon::cp::ReadControllerConfig,
                                cordon::cp::Controller::Start);
}
