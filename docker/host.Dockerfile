# SPDX-License-Identifier: Apache-2.0
# A pump or its server in docker/compose.yaml. Its network has neither addresses nor a way out: what it needs is
# installed here, the address is given as the first argument. Offloads are off, or frames would come to the
# gateway with unfinished checksums.
FROM debian:12-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 iproute2 ethtool && rm -rf /var/lib/apt/lists/*
COPY scripts/lab/mllp.py /usr/local/bin/mllp.py
ENTRYPOINT ["sh", "-c", "ip address add \"$0\" dev eth0; ethtool -K eth0 tx off tso off gso off; exec python3 /usr/local/bin/mllp.py \"$@\""]
