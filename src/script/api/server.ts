import type { Peer } from "../../cluster/roster.ts";
import type { Api } from "./api.ts";
import type { Binding } from "./binding.ts";
import type { Args } from "./values.ts";

/** Another server. API-520 to API-526; the other server can call the functions that scripts add to it. */
export const server: Binding<Peer, Api> = {
  name: "server",
  get: {
    address: (peer) => peer.address,
    publicAddress: (peer) => peer.publicAddress,
    isTarget: (peer) => peer.isTarget,
    load: (peer) => peer.load?.clients,
    lag: (peer) => peer.load?.lag,
  },
  call: {
    send(peer, args, api) {
      const handler = handlerOf(args, api);
      if (handler !== undefined) peer.send(handler, api.toAmf.encode(args.at, args.left));
    },
  },
  label: (peer) => peer.address,
  /** Properties of the link. API-523 */
  other: (peer, name) => typeof name === "string" ? peer.properties.get(name) : undefined,
};

/** The name of the handler to call at the other end; logs an invalid name. API-505 */
export function handlerOf(args: Args, api: Api): string | undefined {
  const handler = args.string();
  if (handler !== "" && handler !== ".") return handler;
  api.log("error", `invalid handler name "${handler}"`);
  return undefined;
}
