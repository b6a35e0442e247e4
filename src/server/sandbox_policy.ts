// Applies the lists under `[sandbox]` to the sockets and the mail of scripts. DECISIONS 21.
import { Reader } from "../bytes/reader.ts";
import { hostText } from "../common/address.ts";
import { ipText } from "../common/ip.ts";
import { PORT_BLOCK, type SandboxPolicy } from "../net/sandbox/policy.ts";
import {
  type AddressRule,
  LOOPBACK,
  PRIVATE,
  type Range,
  SPECIAL,
} from "../config/address_rule.ts";
import { ConfigError, valueProblem } from "../config/config_error.ts";
import type { Config } from "../config/settings.ts";

type List = "sandbox.connect" | "sandbox.udp" | "sandbox.listen";

/** Maximum number of entries: with more, Deno takes seconds to start a worker. */
const MAX_ENTRIES = 65_536;

/**
 * Makes the policy of script sockets.
 *
 * @throws {ConfigError} for a rule that Deno's permissions cannot express
 */
export function sandboxPolicy(
  config: Pick<Config, List>,
): SandboxPolicy {
  const connect = new RuleList("sandbox.connect", config);
  const udp = new RuleList("sandbox.udp", config);
  const listen = new RuleList("sandbox.listen", config);
  return {
    connect: (ip, port, name) => connect.opens(ip, port, name),
    udp: (ip, port, name) => udp.opens(ip, port, name),
    listen: (ip, port) => listen.binds(ip, port),
    alone: (rule, ip, port) => !(rule === "connect" ? connect : udp).lists(ip, port),
    permissions: {
      get connect() {
        return connect.permission;
      },
      get udp() {
        return udp.permission;
      },
      listen: (ip, port) => listen.permissionOn(ip, port),
    },
  };
}

/** Whether scripts may send mail to an address. */
export function mayMail(rules: readonly string[], recipient: string): boolean {
  const address = recipient.toLowerCase();
  return rules.some((rule) =>
    rule === "*" || rule === address || (rule.startsWith("*@") && address.endsWith(rule.slice(1)))
  );
}

/** One of the lists, as rules and as Deno's permission. */
class RuleList {
  readonly #rules: readonly AddressRule[];
  readonly #everything: boolean;
  #permission: readonly string[] | undefined;

  constructor(name: List, config: Pick<Config, List>) {
    const rules = this.#rules = config[name];
    this.#everything = rules.some((rule) => rule.hosts.kind === "any" && isOpen(rule));
    let entries = 0;
    for (const rule of rules) {
      const hosts = hostsOf(rule);
      const { kind } = rule.hosts;
      if (name === "sandbox.listen" && hosts.length === 0) {
        const what = kind === "name"
          ? "an address of this machine, not a name"
          : "an IPv6 address, not a network";
        throw new ConfigError([valueProblem(name, rule.text, what)]);
      }
      entries += hosts.length * (isOpen(rule) ? 1 : rule.to - rule.from + 1);
      if (entries > MAX_ENTRIES) {
        const most = `at most ${MAX_ENTRIES} pairs of range and port`;
        throw new ConfigError([valueProblem(name, rule.text, most)]);
      }
    }
  }

  /** The list in Deno's form; made when it is first read, as most servers never need it. */
  get permission(): readonly string[] | true {
    return this.#everything || (this.#permission ??= this.#list());
  }

  /** The allowed ports of an address in the block of a port, in Deno's form. */
  permissionOn(ip: string, port: number): string[] {
    const first = port - port % PORT_BLOCK;
    const entries = new Set<string>();
    for (const rule of this.#rules) {
      const from = Math.max(rule.from, first);
      const to = Math.min(rule.to, first + PORT_BLOCK - 1);
      if (from > to || !rule.matches(ip, from)) continue;
      for (let at = from; at <= to; at++) entries.add(`${hostText(ip)}:${at}`);
    }
    return [...entries];
  }

  #list(): string[] {
    const entries = new Set<string>();
    for (const rule of this.#rules) {
      for (const host of hostsOf(rule)) {
        if (isOpen(rule)) entries.add(host);
        else for (let port = rule.from; port <= rule.to; port++) entries.add(`${host}:${port}`);
      }
    }
    return [...entries];
  }

  opens(ip: string, port: number, name?: string): boolean {
    return this.#rules.some((rule) => rule.matches(ip, port, name));
  }

  /** Whether scripts may listen on an address; an IPv6 one needs a rule that names it, or `*`. */
  binds(ip: string, port: number): boolean {
    return this.#rules.some((rule) =>
      rule.matches(ip, port) &&
      (!ip.includes(":") || rule.hosts.kind === "any" || isListed(ip, rule))
    );
  }

  /** Whether Deno's permission allows an address too. */
  lists(ip: string, port: number): boolean {
    return this.#everything ||
      this.#rules.some((rule) =>
        rule.matches(ip, port) && (!ip.includes(":") || isListed(ip, rule))
      );
  }
}

/** Whether Deno's permission contains an IPv6 address that a rule matches. */
function isListed(ip: string, { hosts }: AddressRule): boolean {
  if (hosts.kind === "range") return hosts.range.bits === 128;
  return hosts.kind === "loopback" && ip === "::1";
}

/** Whether a rule matches all ports. */
function isOpen({ from, to }: AddressRule): boolean {
  return from <= 1 && to === 65_535;
}

const ANY_IPV4 = "0.0.0.0/0";

/**
 * The hosts of a rule as entries of Deno's `net` permission: without IPv6 networks, and without names, as the
 * worker sees only addresses that were checked.
 */
function hostsOf({ hosts }: AddressRule): string[] {
  switch (hosts.kind) {
    case "any":
      return [ANY_IPV4];
    case "name":
      return [];
    case "public":
      return complement(SPECIAL).map(rangeText);
    case "private":
      return PRIVATE.filter(({ ip }) => ip.length === 4).map(rangeText);
    case "loopback":
      return LOOPBACK.map(rangeText);
    case "range":
      return hosts.range.ip.length === 16 && hosts.range.bits < 128 ? [] : [rangeText(hosts.range)];
  }
}

function rangeText({ ip, bits }: Range): string {
  if (ip.length === 16) return hostText(ipText(ip));
  return bits === 32 ? ipText(ip) : `${ipText(ip)}/${bits}`;
}

/** All IPv4 addresses outside of the given ranges, in as few ranges as possible. */
function complement(ranges: readonly Range[]): Range[] {
  const taken = ranges.filter(({ ip }) => ip.length === 4).map(({ ip, bits }) => {
    const first = new Reader(ip).u32();
    return { first, end: first + 2 ** (32 - bits) };
  }).sort((a, b) => a.first - b.first);
  const result: Range[] = [];
  let at = 0;
  for (const { first, end } of [...taken, { first: 2 ** 32, end: 2 ** 32 }]) {
    while (at < first) {
      let bits = 32;
      while (bits > 0 && at % 2 ** (33 - bits) === 0 && at + 2 ** (33 - bits) <= first) bits--;
      const ip = Uint8Array.of(at >>> 24, at >>> 16, at >>> 8, at);
      result.push({ ip, bits });
      at += 2 ** (32 - bits);
    }
    at = Math.max(at, end);
  }
  return result;
}
