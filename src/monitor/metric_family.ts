import type { ApplicationRow, RelayRow, ServerRow, ServerStatus, Totals } from "./snapshot.ts";

/** The values that all metrics are made of, read once per scrape. */
export interface Numbers {
  readonly status: ServerStatus;
  readonly totals: Totals;
  readonly servers: readonly ServerRow[];
  readonly applications: readonly ApplicationRow[];
  readonly relays: readonly RelayRow[];
}

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** One metric of Prometheus with all its samples. */
export interface MetricFamily {
  readonly type: "gauge" | "counter";
  readonly name: string;
  readonly help: string;
  /** Undefined: this server does not have the metric. */
  readonly samples: (of: Numbers) => Iterable<Sample> | undefined;
}

const family =
  (type: MetricFamily["type"]) =>
  (name: string, help: string, samples: MetricFamily["samples"]): MetricFamily => ({
    type,
    name,
    help,
    samples,
  });

/** A metric whose samples have labels of their own. */
export const gauges = family("gauge");
export const counters = family("counter");

type One = (of: Numbers) => number | null | undefined;

const single = (value: One): MetricFamily["samples"] => (of) => {
  const number = value(of);
  return number === undefined || number === null ? undefined : [[{}, number]];
};

/** A value that rises and falls, without labels. */
export const gauge = (name: string, help: string, value: One): MetricFamily =>
  gauges(name, help, single(value));

/** A value that only rises, without labels. */
export const total = (name: string, help: string, value: One): MetricFamily =>
  counters(name, help, single(value));

/** Values that only rise, with one label. */
export const counter = (
  name: string,
  help: string,
  label: string,
  values: (of: Numbers) => Readonly<Record<string, number>> | undefined,
): MetricFamily =>
  counters(name, help, (of) => {
    const all = values(of);
    return all && Object.entries(all).map(([key, n]) => [{ [label]: key }, n] as const);
  });

/** A value and its limit by the configuration or the system; limit 0: none. */
export const bounded = (
  name: string,
  help: string,
  value: (of: Numbers) => number,
  limit: (of: Numbers) => number,
): MetricFamily[] => [
  gauge(name, help, value),
  gauge(`${name}_limit`, `Limit of ${name}.`, (of) => limit(of) > 0 ? limit(of) : undefined),
];
