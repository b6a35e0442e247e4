import type { Api } from "./api.ts";
import type { StreamRelay } from "./host.ts";
import type { Binding } from "./binding.ts";
import type { Value } from "./values.ts";

/** Bytes that a relay takes besides its texts: the buffers of its connection. */
const RELAY_COST = 128 << 10;

/** A stream to or from another RTMP server. API-470. */
const relay: Binding<StreamRelay, Api> = {
  name: "relay",
  get: {
    direction: (relay) => relay.direction,
    name: (relay) => relay.name,
    url: (relay) => relay.url,
    state: (relay) => relay.state,
    error: (relay) => relay.error === "" ? null : relay.error,
  },
  call: {
    close(relay) {
      relay.close();
    },
  },
};

/**
 * Starts a relay, which ends with the application at the latest.
 *
 * @returns the relay; null, after logging the reason, if it cannot start
 */
export function startRelay(
  api: Api,
  direction: "push" | "pull",
  name: string,
  url: string,
  publisher?: number,
): Value {
  const application = api.running;
  const release = application &&
    api.outside.hold(application, 2 * (name.length + url.length) + RELAY_COST);
  const made = name === ""
    ? "the publication has no name"
    : publisher === 0
    ? `${name} has no publisher`
    : api.host.relay(direction, name, url, publisher);
  if (typeof made === "string") {
    release?.();
    const method = direction === "push" ? "publication:push" : "cumulus:pull";
    api.log("error", `${method}: ${made}`);
    return null;
  }
  application?.owned.add(made);
  made.onClosed = () => {
    release?.();
    application?.owned.delete(made);
  };
  const handle = api.objects.of(relay, made);
  api.objects.weaken(made); // the relay continues without the script's object
  return handle;
}
