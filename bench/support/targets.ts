// The targets of the project, compared with a run of all benchmarks.
import type { Limit } from "./limit.ts";
import type { Result, Run } from "./report.ts";

/** The floor (µs) of the machine on which the targets were set. */
const REFERENCE = { aes_sendto_us: 4.8, aes_sendmmsg_us: 4.35 } as const;

export interface Target {
  readonly what: string;
  /** Title of the measured run. */
  readonly run: string;
  /** Title of a run whose figure is subtracted. */
  readonly minus?: string;
  /** Field of the run's result. */
  readonly field: string;
  readonly unit: string;
  /** Upper or lower limit of the figure, in {@link unit}. */
  readonly most?: number;
  readonly least?: number;
  /** Factor from the unit of the result to {@link unit}. */
  readonly scale?: number;
  /** Figure of the floor to divide by, for µs a datagram. */
  readonly floor?: keyof typeof REFERENCE;
}

export const TITLES = {
  fanOut: (listeners: number) => `fan-out of 1 Mb/s to ${listeners}`,
  fanOutPortable: "fan-out of 1 Mb/s to 200, portable",
  stalled: "fan-out of 1 Mb/s to 400, a tenth of them stalled",
  meanwhile: "fan-out of 1 Mb/s to 200, with 500 handshakes/s at group 14 meanwhile",
  capacity: "listeners of 1 Mb/s that one core holds",
  capacityPortable: "listeners of 1 Mb/s that one core holds, portable",
  rpc: "RPC echo of 64 bytes, 50 clients",
  rpcAlone: "RPC echo of 64 bytes, 1 client",
  handshake: "handshake and connect, group 2",
  handshakeStrict: "handshake and connect, group 16, HMAC and sequence numbers",
  start: "start to listening",
} as const;

const fanOut = TITLES.fanOut(200);
const cpu = { field: "server_cpu_us_per_packet", unit: "µs" } as const;

export const TARGETS: readonly Target[] = [
  {
    what: "fan-out to 200: CPU a datagram, native",
    run: fanOut,
    ...cpu,
    most: 9,
    floor: "aes_sendmmsg_us",
  },
  {
    what: "the same, portable",
    run: TITLES.fanOutPortable,
    ...cpu,
    most: 18,
    floor: "aes_sendto_us",
  },
  {
    what: "listeners that one core holds, native",
    run: TITLES.capacity,
    field: "listeners",
    unit: "",
    least: 700,
  },
  {
    what: "the same, portable",
    run: TITLES.capacityPortable,
    field: "listeners",
    unit: "",
    least: 350,
  },
  { what: "added delay at 200, p50", run: fanOut, field: "delay_p50_ms", unit: "ms", most: 5 },
  { what: "added delay at 200, p99", run: fanOut, field: "delay_p99_ms", unit: "ms", most: 15 },
  {
    what: "RPC, 50 clients",
    run: TITLES.rpc,
    field: "calls_per_second",
    unit: "/s",
    least: 33_000,
  },
  {
    what: "RPC, 1 client, p50",
    run: TITLES.rpcAlone,
    field: "latency_p50_us",
    unit: "µs",
    most: 125,
  },
  {
    what: "RPC, 1 client, p99",
    run: TITLES.rpcAlone,
    field: "latency_p99_us",
    unit: "µs",
    most: 300,
  },
  {
    what: "handshake and connect, group 2",
    run: TITLES.handshake,
    field: "handshakes_per_second",
    unit: "/s",
    least: 1400,
  },
  {
    what: "the same, CPU each",
    run: TITLES.handshake,
    field: "server_cpu_ms_per_handshake",
    unit: "ms",
    most: 0.5,
  },
  {
    what: "handshake and connect, group 16, strict",
    run: TITLES.handshakeStrict,
    field: "handshakes_per_second",
    unit: "/s",
    least: 250,
  },
  {
    what: "memory of an idle session",
    run: TITLES.handshake,
    field: "memory_per_idle_session_bytes",
    unit: "KiB",
    most: 8,
    scale: 1 / 1024,
  },
  {
    what: "memory with 10,000 idle sessions",
    run: TITLES.handshake,
    field: "idle_server_memory_bytes",
    unit: "MB",
    most: 200,
    scale: 1e-6,
  },
  {
    what: "share of a core that keeps them alive",
    run: TITLES.handshake,
    field: "idle_server_cpu_share",
    unit: "%",
    most: 10,
    scale: 100,
  },
  {
    what: "memory of a listener, native",
    run: fanOut,
    field: "memory_per_listener_bytes",
    unit: "KiB",
    most: 64,
    scale: 1 / 1024,
  },
  {
    what: "the same, portable",
    run: TITLES.fanOutPortable,
    field: "memory_per_listener_bytes",
    unit: "KiB",
    most: 64,
    scale: 1 / 1024,
  },
  { what: "start to listening", run: TITLES.start, field: "listeningMs", unit: "ms", most: 500 },
  {
    what: "what 500 handshakes/s add to the delay, p99",
    run: TITLES.meanwhile,
    minus: fanOut,
    field: "delay_p99_ms",
    unit: "ms",
    most: 30,
  },
  {
    what: "what 40 stalled of 400 listeners add for the others, p99",
    run: TITLES.stalled,
    minus: TITLES.fanOut(400),
    field: "delay_p99_ms",
    unit: "ms",
    most: 0,
  },
];

/** @returns the lines of the table of targets that `runs` measured */
export function targetTable(runs: readonly Run[]): string[] {
  const lines = [
    "| Figure | Target | Measured | Spread | Floor | Ratio to it (target's) |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  const find = (title: string) => runs.find((run) => run.title === title);
  for (const target of TARGETS) {
    const run = find(target.run);
    const value = figure(target, run?.result);
    if (!run || value === undefined) continue;
    const less = target.minus === undefined ? 0 : figure(target, find(target.minus)?.result);
    if (less === undefined) continue;
    const show = (number: number) => `${rounded(number)}${target.unit && ` ${target.unit}`}`;
    const bound = target.most === undefined ? `≥ ${show(target.least!)}` : `≤ ${show(target.most)}`;
    const all = (run.others ?? []).map((other) => figure(target, other))
      .filter((other) => other !== undefined).concat(value);
    const spread = target.minus || all.length === 1
      ? ""
      : `${rounded(Math.min(...all))} – ${rounded(Math.max(...all))}`;
    const [floor, ratio] = floorOf(target, value, run.floor);
    const measured = `${met(target, value - less) ? "" : "✗ "}**${show(value - less)}**`;
    lines.push(`| ${target.what} | ${bound} | ${measured} | ${spread} | ${floor} | ${ratio} |`);
  }
  return lines.length > 2 ? [...lines, ""] : [];
}

function met({ most, least }: Target, value: number): boolean {
  return most === undefined ? value >= least! : value <= most;
}

function figure({ field, scale = 1 }: Target, result: Result | undefined): number | undefined {
  const value = result?.[field];
  return typeof value === "number" ? value * scale : undefined;
}

function floorOf(target: Target, value: number, floor: Limit | undefined): [string, string] {
  if (!target.floor || !floor) return ["", ""];
  const ratio = (target.most! / REFERENCE[target.floor]).toFixed(2);
  return [
    `${floor[target.floor].toFixed(2)} µs`,
    `${(value / floor[target.floor]).toFixed(2)} (${ratio})`,
  ];
}

/** Rounds to three digits, or to an integer. */
function rounded(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en")
    : `${Number(value.toPrecision(3))}`;
}
