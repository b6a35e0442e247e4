// The tables in bench/README.md.
import type { Limit } from "./limit.ts";
import { targetTable } from "./targets.ts";

/** What `bench/all.ts` writes into bench/results.json. */
export interface Results {
  readonly date: string;
  readonly machine: Machine;
  /** The floor, or why there is none. */
  readonly limit: Limit | string;
  readonly runs: readonly Run[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly deno: string;
  /** Load average of the minute before; above the number of cores the figures are not reliable. */
  readonly load: number;
}

export interface Run {
  /** Its title in the table. */
  readonly title: string;
  readonly command: string;
  /** The object that the benchmark printed, the median of several runs; undefined if it failed. */
  readonly result?: Result;
  /** Results of the other runs. */
  readonly others?: readonly Result[];
  /** The floor just before it. */
  readonly floor?: Limit;
  readonly error?: string;
}

export interface Result {
  /** Name of the script. */
  readonly bench?: string;
  readonly [name: string]: unknown;
}

const START = "<!-- results: written by bench/all.ts -->";
const END = "<!-- end of results -->";

/** @returns the text of the README with the table of `results` instead of the one before */
export function insertTable(readme: string, results: Results): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  const [before, after] = start >= 0 && end > start
    ? [readme.slice(0, start), readme.slice(end + END.length)]
    : [`${readme.trimEnd()}\n\n`, "\n"];
  return `${before}${START}\n\n${table(results)}\n\n${END}${after}`;
}

function table({ date, machine, limit, runs }: Results): string {
  const { cpu, cores, system, deno, load } = machine;
  const lines = [
    `Measured ${date} on ${cpu}, ${cores} cores, ${system}, Deno ${deno}; load average before: ` +
    `${load.toFixed(2)}.`,
    "",
  ];
  const floor = typeof limit === "string" ? undefined : limit;
  if (floor) {
    lines.push(
      `Floor (\`bench/limit.c\`, ${floor.bytes} bytes, one core): AES ${
        us(floor.aes_us)
      }, AES and ` +
        `sendto ${us(floor.aes_sendto_us)}, AES and sendmmsg ${us(floor.aes_sendmmsg_us)}.`,
    );
  } else {
    lines.push(`No floor: ${limit}.`);
  }
  lines.push("", ...targetTable(runs), "| What | Figures |", "| --- | --- |");
  for (const { title, result, error, floor } of runs) {
    lines.push(`| ${title} | ${result ? figures(result, floor) : `failed: ${error}`} |`);
  }
  return lines.join("\n");
}

/** Of `groups`: one size of a group. */
type GroupFigures = Record<
  | "members"
  | "joins_per_second"
  | "server_cpu_us_per_join"
  | "memory_per_member_bytes"
  | "introductions_per_second"
  | "server_cpu_us_per_introduction",
  number
>;
/** Of `sockets`: calls, without sockets or with them, and what the sockets saw. */
type CallFigures = Record<
  "rpc_p50_ms" | "rpc_p99_ms" | "loop_worst_lag_ms" | "server_cpu_share",
  number
>;
type EchoFigures = Record<
  "connections" | "echoes_per_second" | "echo_p50_ms" | "echo_p99_ms",
  number
>;

function figures(result: Result, floor: Limit | undefined): string {
  const number = (name: string) => Number(result[name] ?? NaN);
  switch (result.bench) {
    case "fanout": {
      const cpu = number("server_cpu_us_per_packet");
      const ratio = floor
        ? ` (${(cpu / floor.aes_sendmmsg_us).toFixed(1)} × sendmmsg, ` +
          `${(cpu / floor.aes_sendto_us).toFixed(1)} × sendto)`
        : "";
      return [
        `**${us(cpu)}** of CPU a datagram${ratio}`,
        `${number("packets_per_second")} packets/s`,
        `${share(number("server_cpu_share"))} of a core`,
        `${share(number("delivered_share"))} delivered`,
        `delay p50 ${number("delay_p50_ms")} ms, p99 ${number("delay_p99_ms")} ms`,
        `${kib(number("memory_per_listener_bytes"))} a listener`,
      ].join(", ");
    }
    case "capacity":
      return `**${number("listeners")} listeners**, every frame within ${number("latest_ms")} ms`;
    case "rpc":
      return [
        `**${number("calls_per_second")} calls/s**`,
        `p50 ${number("latency_p50_us")} µs, p99 ${number("latency_p99_us")} µs`,
        `${us(number("server_cpu_us_per_call"))} of CPU each`,
      ].join(", ");
    case "groups": {
      const sizes = result.sizes as GroupFigures[];
      return sizes.map((size) =>
        [
          `${size.members} members: **${size.joins_per_second} joins/s**`,
          `${us(size.server_cpu_us_per_join)} of CPU each`,
          `${kib(size.memory_per_member_bytes)} a member`,
          `**${size.introductions_per_second} introductions/s**`,
          `${us(size.server_cpu_us_per_introduction)} of CPU each`,
        ].join(", ")
      ).join("; ");
    }
    case "sockets": {
      const [without, busy] = [result.without, result.with_sockets] as [CallFigures, CallFigures];
      const seen = result.sockets_seen as EchoFigures;
      return [
        `${seen.connections} sockets, ${seen.echoes_per_second} echoes/s`,
        `calls p50 ${busy.rpc_p50_ms} ms, p99 ${busy.rpc_p99_ms} ms ` +
        `(without them ${without.rpc_p50_ms} and ${without.rpc_p99_ms})`,
        `**worst gap of the loop ${busy.loop_worst_lag_ms} ms** (${without.loop_worst_lag_ms})`,
        `${share(busy.server_cpu_share)} of a core (${share(without.server_cpu_share)})`,
        `echo p50 ${seen.echo_p50_ms} ms, p99 ${seen.echo_p99_ms} ms`,
      ].join(", ");
    }
    case "handshake": {
      const parts = [
        `**${number("handshakes_per_second")} handshakes/s**`,
        `${number("server_cpu_ms_per_handshake")} ms of CPU each`,
        `connect p50 ${number("connect_p50_ms")} ms, p99 ${number("connect_p99_ms")} ms`,
      ];
      if (result.idle_sessions) {
        parts.push(
          `${number("idle_sessions")} idle: ${
            kib(number("memory_per_idle_session_bytes"))
          } each, ` +
            `${(number("idle_server_memory_bytes") / 1e6).toFixed(0)} MB in all, ` +
            `${share(number("idle_server_cpu_share"))} of a core`,
        );
      }
      if (result.start_to_answer_ms) {
        parts.push(`${number("start_to_answer_ms")} ms from start to first answer`);
      }
      return parts.join(", ");
    }
    case "start":
      return `**${number("listeningMs")} ms** to listening, ${number("stoppedMs")} ms to the end`;
    case "path":
      return ["native", "portable"].filter((name) => result[name]).map((name) => {
        const path = result[name] as Record<"total_us" | "garbage_bytes", number>;
        return `${name}: ${
          us(path.total_us)
        } a datagram, **${path.garbage_bytes} bytes of garbage**`;
      }).join("; ");
    default: {
      const { bench: _, ...rest } = result;
      return flat(rest);
    }
  }
}

/** All figures with their names. */
function flat(result: object, prefix = ""): string {
  return Object.entries(result).map(([name, value]) =>
    typeof value === "object" && value !== null
      ? flat(value, `${prefix}${name} `)
      : `${prefix}${name} ${value}`
  ).join(", ");
}

const us = (value: number) => `${value.toFixed(2)} µs`;
const kib = (value: number) => `${(value / 1024).toFixed(1)} KiB`;
const share = (value: number) => `${(value * 100).toFixed(value > 0.9995 ? 0 : 2)} %`;
