// SPDX-License-Identifier: Apache-2.0
// cordon-gateway: what it says of itself, and its start.
#include "dataplane/app/config.h"
#include "dataplane/app/gateway.h"
#include "dataplane/daemon/program.h"

namespace {

constexpr char kHelp[] =
    R"(cordon-gateway: stands inline between medical devices and the hospital network, and lets each
device talk only as its allowlist says.

usage: cordon-gateway --config FILE [--check-config]

  --config FILE    what to run as: pairs of ports, worker cores, controller; every key is
                   explained in configs/gateway.yaml
  --check-config   read the file, name every fault with its line, and end; changes nothing
  --version        print the version
  --help           print this

It runs in the foreground and logs to stderr. It enforces the last policy it got from its controller
before it dials the controller; without any policy it denies everything. Nothing passes while it does
not run. SIGTERM or SIGINT ends it.

Look at a running gateway:
  cordonctl --gateway-socket /run/cordon/gateway.sock status
  curl http://127.0.0.1:9464/metrics

exit: 0 ended as asked, 1 could not start (the message names the key), 2 wrong usage
)";

}  // namespace

int main(int argc, char** argv) {
  const cordon::dp::Program program{"cordon-gateway", CORDON_VERSION, kHelp};
  return cordon::dp::RunProgram(program, argc, argv, cordon::dp::ReadGatewayConfig,
                                cordon::dp::Gateway::Start);
}
