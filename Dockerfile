# CumulusServer in a container: docker build -t cumulus . && docker run --network host -v ./data:/data cumulus
# The host's network, since peers are told the addresses that this server sees.

# The version in .deno-version.
ARG DENO_VERSION=2.9.6
FROM docker.io/denoland/deno:bin-${DENO_VERSION} AS deno

FROM docker.io/library/debian:bookworm-slim AS build
COPY --from=deno /deno /usr/local/bin/deno
WORKDIR /src
COPY deno.json deno.lock main.ts ./
COPY src src
COPY tools tools
COPY www www
COPY CumulusServer.ini ./
ARG TARGETARCH
RUN deno install --frozen && deno task compile --output /out --target \
  "$([ "$TARGETARCH" = arm64 ] && echo aarch64 || echo x86_64)-unknown-linux-gnu" && \
  mv /out/CumulusServer-linux-* /out/CumulusServer && mkdir /out/data

# It has libcrypto.so.3, by which cryptography is several times faster.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/CumulusServer /CumulusServer
COPY --from=build --chown=nonroot:nonroot /out/data /data
USER nonroot
VOLUME /data
EXPOSE 1935/udp 1935/tcp 8080/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/CumulusServer", "client", "ping", "rtmfp://127.0.0.1"]
ENTRYPOINT ["/CumulusServer", "--dir", "/data"]
