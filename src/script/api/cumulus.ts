import { AmfReader } from "../../amf/mod.ts";
import { NameTaken } from "../../media/refused.ts";
import { STRING } from "../vm/lua.ts";
import { ScriptError } from "../vm/script_error.ts";
import type { Api } from "./api.ts";
import { broadcaster } from "./broadcaster.ts";
import { clients } from "./clients.ts";
import { groups } from "./groups.ts";
import type { Host } from "./host.ts";
import { jsonMethods } from "./json.ts";
import { sendMail } from "./mail.ts";
import { emptyText } from "./mistakes.ts";
import type { Binding } from "./binding.ts";
import { publication } from "./publication.ts";
import { publications } from "./publications.ts";
import { sharedObjects } from "./shared_objects.ts";
import { startRelay } from "./relay.ts";
import { split } from "./split.ts";
import { TcpClient, tcpClient } from "./tcp_client.ts";
import { TcpServer, tcpServer } from "./tcp_server.ts";
import { timeoutMethods } from "./timeouts.ts";
import { UdpSocket, udpSocket } from "./udp_socket.ts";
import { type Args, PUSHED, type Result, type Value } from "./values.ts";

const allPublications = (_: Host, api: Api): Value =>
  api.objects.of(publications, api.hub.publications);

/** The server. API-101 to API-144. */
export const cumulus: Binding<Host, Api> = {
  name: "cumulus",
  get: {
    clients: (_, api) => api.objects.of(clients, api.hub.clients),
    configs: (_, api) => api.configs,
    epochTime: (host) => Math.trunc(host.epochTime()),
    groups: (_, api) => api.objects.of(groups, api.hub.groups),
    publications: allPublications,
    /** The spelling of the API's page of 2016. API-105 */
    pulications: allPublications,
    sharedObjects: (_, api) => api.running ? api.objects.of(sharedObjects, api.running) : null,
    servers: (_, api) => api.objects.of(broadcaster, api.servers),
    publicAddress: (host) => host.publicAddress,
  },
  call: {
    ...jsonMethods,
    ...timeoutMethods,
    absolutePath(host, args) {
      const path = withoutSlashes(args.string());
      return path === "" ? host.www : `${host.www}${path}/`;
    },
    addToBlacklist(_, args, api) {
      if (api.hub.blacklist.size >= MAX_BANNED) {
        throw new ScriptError(`${MAX_BANNED} addresses are banned already`);
      }
      eachAddress(args, api, (ip) => api.hub.ban(ip));
    },
    removeFromBlacklist(_, args, api) {
      eachAddress(args, api, (ip) => api.hub.unban(ip));
    },
    createTCPClient: (_, _args, api) => closed(api, tcpClient, new TcpClient(api)),
    createTCPServer: (_, _args, api) => closed(api, tcpServer, new TcpServer(api)),
    createUDPSocket: (_, args, api) => closed(api, udpSocket, new UdpSocket(api, args.boolean())),
    sendMail: (_, args, api) => sendMail(args, api),
    publish(_, args, api) {
      const name = args.string();
      if (name === "") emptyText(args, api, "publish(name)", "name");
      if (name.length > MAX_NAME) {
        throw new ScriptError(`the name of the publication is longer than ${MAX_NAME} characters`);
      }
      const application = api.running!;
      const release = api.outside.hold(application, name.length * 2 + PUBLICATION_COST);
      try {
        const made = api.hub.publishFromScript(name, () => {
          release();
          application.owned.delete(owned);
        });
        const owned = { close: () => made.close() };
        application.owned.add(owned);
        return api.objects.of(publication, made);
      } catch (error) {
        release();
        if (!(error instanceof NameTaken)) throw error;
        api.log("error", error.message);
        return null;
      }
    },
    pull(_, args, api) {
      const url = args.string();
      return startRelay(api, "pull", args.string(), url);
    },
    fromAMF(_, args, api) {
      const bytes = args.bytes();
      if (bytes.length > 0) api.fromAmf.push(new AmfReader(bytes));
      return PUSHED;
    },
    toAMF(_, args, api) {
      api.toAmf.push(args.at, args.left);
      return PUSHED;
    },
    toAMF0(_, args, api) {
      api.toAmf.push(args.at, args.left, "mixed");
      return PUSHED;
    },
    md5: (host, args, api) => digests("md5", args, api, (bytes) => host.md5(bytes)),
    sha256: (host, args, api) => digests("sha256", args, api, (bytes) => host.sha256(bytes)),
    split(_, args, api) {
      const text = args.bytes();
      const separators = args.bytes();
      const tokens = split(text, separators, args.number());
      api.lua.reserve(tokens.length);
      for (const [i, token] of tokens.entries()) {
        if (i % 1000 === 0) api.lua.checkTime();
        api.lua.pushBytes(token);
      }
      return PUSHED;
    },
  },
};

/** The object of a socket; while the socket is closed, only the script keeps it. */
function closed<T>(api: Api, binding: Binding<T, Api>, socket: T): Value {
  const handle = api.objects.of(binding, socket);
  api.objects.weaken(socket);
  return handle;
}

/** One result for each argument. API-131 to API-133 */
function digests(
  name: string,
  args: Args,
  api: Api,
  digest: (bytes: Uint8Array) => Uint8Array,
): Result {
  const { lua } = api;
  lua.reserve(args.left);
  while (args.left > 0) {
    lua.checkTime();
    if (args.isText) lua.pushBytes(digest(args.bytes()));
    else {
      api.log("error", `cumulus:${name} takes strings and numbers`);
      args.skip();
      lua.pushNil();
    }
  }
  return PUSHED;
}

/** Maximum number of characters in the name of a publication; the same limit as for clients. */
const MAX_NAME = 4_096;
/** Bytes that a publication takes besides its name. */
const PUBLICATION_COST = 2_048;
/** Maximum number of banned addresses. */
const MAX_BANNED = 100_000;

/** Calls `change` with each address of the arguments, tables included. API-121, API-122. */
function eachAddress(args: Args, api: Api, change: (ip: string) => boolean): void {
  while (args.left > 0) {
    const isText = args.type === STRING;
    const ip = args.string();
    if (!isText || !change(ip)) api.log("error", `"${ip}" is not an IP address`);
  }
}

/** Removes slashes at both ends, in linear time: `/\/+$/` takes quadratic time. */
function withoutSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (path[start] === "/") start++;
  while (end > start && path[end - 1] === "/") end--;
  return path.slice(start, end);
}
