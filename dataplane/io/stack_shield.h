// SPDX-License-Identifier: Apache-2.0
// Keeps what comes in at a data port away from the network stack of this machine. Without it a
// device could send to the gateway's management address through its data port.
#pragma once

#include <string>

namespace cordon::dp {

// Drops every frame of an interface at traffic control's ingress hook, which lies behind packet
// sockets and AF_XDP: the gateway sees all, the stack nothing. Stays after the process: an
// interface that was a data port is not one of the machine until somebody says so
// (tc qdisc del dev NAME clsact). False, with `error`, if the kernel refuses.
bool ShieldStack(int interface_index, std::string& error);

}  // namespace cordon::dp
