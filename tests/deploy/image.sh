#!/usr/bin/env bash
# Builds the Dockerfile with buildah where no registry can be reached, and tries the image: as root,
#
#   DENO=… DENORT=… tests/deploy/image.sh
#
# It needs buildah, debootstrap and a mirror of Debian. The images that the Dockerfile begins with
# are made here, under their names: Debian by debootstrap, the one without a shell out of Debian's
# libraries, busybox from Debian, and Deno from DENO. DENORT is the base runtime for that Deno, which
# `deno compile` downloads otherwise; CA a file of certificates, where a proxy has its own.
set -eu
cd "$(dirname "$0")/../.."
: "${DENO:?the path of a deno program}" "${DENORT:?the path of its base runtime}"
work=$(mktemp -d)
export BUILDAH_ISOLATION=chroot
buildah() { command buildah --storage-driver vfs --root "$work/store" --runroot "$work/run" "$@"; }
server=
clean() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  buildah rm --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT

image() { # NAME FOLDER [OPTION OF buildah config]…
  local name=$1 container
  container=$(buildah from scratch)
  buildah add -q "$container" "$2" / >/dev/null
  shift 2
  [ $# -eq 0 ] || buildah config "$@" "$container"
  buildah commit -q "$container" "$name" >/dev/null
  buildah rm "$container" >/dev/null
}

echo "Debian …"
debian=$work/debian
debootstrap --variant=minbase --include=ca-certificates,libstdc++6,busybox-static bookworm "$debian" \
  "${MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log"
install -m 755 "$DENORT" "$debian/denort"
cp "${CA:-/etc/ssl/certs/ca-certificates.crt}" "$debian/etc/ssl/certs/ca-certificates.crt"

bare=$work/bare
mkdir -p "$bare/usr/lib" "$bare/etc/ssl" "$bare/tmp" "$work/busybox/bin" "$work/deno"
cp -a "$debian/usr/lib/x86_64-linux-gnu" "$debian/usr/lib64" "$bare/usr/lib/" 2>/dev/null || true
mv "$bare/usr/lib/lib64" "$bare/usr/lib64"
ln -s usr/lib "$bare/lib"
ln -s usr/lib64 "$bare/lib64"
cp -a "$debian/etc/ssl/certs" "$bare/etc/ssl/"
chmod 1777 "$bare/tmp"
echo "nonroot:x:65532:65532::/:/sbin/nologin" >"$bare/etc/passwd"
cp "$debian/bin/busybox" "$work/busybox/bin/busybox"
install -m 755 "$DENO" "$work/deno/deno"

image "docker.io/denoland/deno:bin-$(cat .deno-version)" "$work/deno"
image docker.io/library/debian:bookworm-slim "$debian" --env DENORT_BIN=/denort \
  --env DENO_TLS_CA_STORE=system --env DENO_CERT=/etc/ssl/certs/ca-certificates.crt
image docker.io/library/busybox:1.37-musl "$work/busybox"
image gcr.io/distroless/cc-debian12:nonroot "$bare" --user 65532:65532

echo "The image …"
buildah bud -q --pull-never --format docker --build-arg TARGETARCH=amd64 -t cumulus . >/dev/null
container=$(buildah from --pull-never localhost/cumulus)
health() { buildah run "$container" -- /wget -q -O /dev/null http://127.0.0.1:8080/cumulus.js; }

if health 2>/dev/null; then echo "something answers on port 8080 already" >&2 && exit 1; fi
buildah run "$container" -- /CumulusServer --dir /data >"$work/log" 2>&1 &
for _ in $(seq 50); do
  grep -q "Browsers play it" "$work/log" && break
  sleep 0.2
done
server=$(pgrep -n -u 65532 -f '^/CumulusServer --dir /data')
health
kill -TERM "$server"
wait %1
server=
grep -q "RTMFP server stops" "$work/log"
if health 2>/dev/null; then echo "it answers after its end" >&2 && exit 1; fi
echo "built, started as user 65532, healthy, stopped by SIGTERM"
