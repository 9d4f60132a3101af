# SPDX-License-Identifier: Apache-2.0
# docker build -f docker/gateway.Dockerfile -t cordon-gateway .
FROM debian:12 AS build
WORKDIR /src
COPY scripts/setup scripts/setup
RUN scripts/setup --build
COPY . .
RUN cmake --preset release -DCORDON_TESTS=OFF && cmake --build --preset release --target cordon-gateway cordonctl

FROM debian:12-slim
COPY scripts/setup /tmp/setup
RUN /tmp/setup --run && rm -rf /tmp/setup /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/cordon-gateway /src/build/release/bin/cordonctl /usr/bin/
COPY configs/gateway.yaml /etc/cordon/gateway.yaml
# Where the socket for cordonctl goes, and the last good policy.
RUN mkdir -p /run/cordon
VOLUME /var/lib/cordon
ENTRYPOINT ["cordon-gateway", "--config", "/etc/cordon/gateway.yaml"]
