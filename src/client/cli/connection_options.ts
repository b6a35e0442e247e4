// Options of all commands: how to connect.
import type { AmfValue } from "../../amf/mod.ts";
import { UsageError } from "../../common/arguments.ts";
import { ipBytes } from "../../common/ip.ts";
import type { GroupId } from "../../rtmfp/crypto/dh_groups.ts";
import { type AnyUrl, isRtmp } from "../connect.ts";
import type { ConnectOptions } from "../net_connection.ts";
import { type Arguments, numberOption, type Option } from "./arguments.ts";
import { fromJson, type Json } from "./json.ts";

export const connectionOptions: Readonly<Record<string, Option>> = {
  encoding: { value: "N", help: "object encoding: 3 (AMF3, the default) or 0 (AMF0)" },
  groups: { value: "LIST", help: "Diffie-Hellman groups, best first: of 2, 14, 16 (default 2)" },
  strict: { help: "require HMACs and sequence numbers" },
  connect: { value: "JSON", help: "an array of parameters for the application's onConnection" },
  bind: { value: "IP", help: "the IP address of this machine to speak from" },
  "page-url": { value: "URL", help: "the page that connect claims to come from" },
  "swf-url": { value: "URL", help: "the movie that connect claims to come from" },
  timeout: {
    value: "SECONDS",
    help: "how long to wait for the server, and\nfor each answer (default 10)",
  },
};

/** Options for RTMFP only. */
const RTMFP_OPTIONS = ["groups", "strict", "bind", "unreliable"];

/**
 * @param url target: some options are for RTMFP only
 * @throws {UsageError} if an option has an invalid value
 */
export function readConnectionOptions(args: Arguments, url?: AnyUrl): ConnectOptions {
  const { options } = args;
  const unused = url && isRtmp(url) && RTMFP_OPTIONS.find((name) => options.has(name));
  if (unused) throw new UsageError(`Option --${unused} works only with rtmfp://`);
  const timeout = numberOption(args, "timeout", 0.1, 3600);
  return {
    objectEncoding: encodingOf(options.get("encoding") ?? "3"),
    groups: groupsOf(options.get("groups") ?? "2"),
    strict: options.has("strict"),
    hostname: addressOf(options.get("bind")),
    parameters: parametersOf(options.get("connect") ?? "[]"),
    pageUrl: options.get("page-url"),
    swfUrl: options.get("swf-url"),
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
  };
}

/** Reads a command line argument as JSON. @throws {UsageError} if it is not JSON */
export function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    const quoted = JSON.stringify(text);
    throw new UsageError(`${what} is not JSON: ${text} (text needs quotes: '${quoted}')`);
  }
}

function addressOf(text: string | undefined): string | undefined {
  if (text === undefined || ipBytes(text)) return text;
  throw new UsageError(`Option --bind needs an IP address, not "${text}"`);
}

function encodingOf(text: string): 0 | 3 {
  if (text === "0") return 0;
  if (text === "3") return 3;
  throw new UsageError(`Option --encoding needs 0 or 3, not "${text}"`);
}

function groupsOf(text: string): GroupId[] {
  return text.split(",").map((part) => {
    const group = Number(part);
    if (group === 2 || group === 14 || group === 16) return group;
    throw new UsageError(`Option --groups needs a list of 2, 14 and 16, not "${text}"`);
  });
}

function parametersOf(text: string): AmfValue[] {
  const json = parseJson(text, "The value of --connect");
  if (!Array.isArray(json)) throw new UsageError("Option --connect needs an array");
  return json.map(fromJson);
}
