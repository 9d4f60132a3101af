# SPDX-License-Identifier: Apache-2.0
# docker build -f docker/controller.Dockerfile -t cordon-controller .
FROM debian:12 AS build
WORKDIR /src
COPY scripts/setup scripts/setup
RUN scripts/setup --build
COPY . .
RUN cmake --preset release -DCORDON_TESTS=OFF && cmake --build --preset release --target cordon-controller cordonctl

FROM debian:12-slim
COPY scripts/setup /tmp/setup
RUN /tmp/setup --run && rm -rf /tmp/setup /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/cordon-controller /src/build/release/bin/cordonctl /usr/bin/
COPY configs/controller.yaml /etc/cordon/controller.yaml
COPY configs/profiles /etc/cordon/profiles
# Where the socket for cordonctl goes, and the database.
RUN mkdir -p /run/cordon
VOLUME /var/lib/cordon-controller
ENTRYPOINT ["cordon-controller", "--config", "/etc/cordon/controller.yaml"]
