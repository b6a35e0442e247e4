# CumulusServer in a container: docker build -t cumulus . && docker run --network host -v cumulus:/data cumulus
# The host's network, since peers are told the addresses that this server sees.

# The version in .deno-version.
ARG DENO_VERSION=2.9.6
FROM --platform=$BUILDPLATFORM docker.io/denoland/deno:bin-${DENO_VERSION} AS deno

FROM --platform=$BUILDPLATFORM docker.io/library/debian:bookworm-slim AS build
COPY --from=deno /deno /usr/local/bin/deno
WORKDIR /src
COPY deno.json deno.lock main.ts ./
COPY src src
COPY clients clients
COPY tools tools
COPY www www
COPY CumulusServer.ini ./
ARG TARGETARCH
RUN deno install --frozen && deno task compile --output /out --target \
  "$([ "$TARGETARCH" = arm64 ] && echo aarch64 || echo x86_64)-unknown-linux-gnu" && \
  mv /out/CumulusServer-linux-* /out/CumulusServer && mkdir /out/data

# One static program that asks for the health of the server.
FROM docker.io/library/busybox:1.37-musl AS busybox

# It has libcrypto.so.3, by which cryptography is several times faster.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="CumulusServer" \
  org.opencontainers.image.description="Live streams and Lua applications by RTMFP, RTMP and HTTP" \
  org.opencontainers.image.licenses="MIT"
COPY --from=busybox /bin/busybox /wget
COPY --from=build /out/CumulusServer /CumulusServer
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
VOLUME /data
EXPOSE 1935/udp 1935/tcp 8080/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/cumulus.js"]
ENTRYPOINT ["/CumulusServer", "--dir", "/data"]
