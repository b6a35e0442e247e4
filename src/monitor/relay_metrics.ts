import { counters, gauges, type MetricFamily, type Sample } from "./metric_family.ts";
import type { RelayRow } from "./snapshot.ts";

const STATES: readonly RelayRow["state"][] = ["idle", "connecting", "running", "waiting"];

/** Sum of the relays of one stream to one server: they differ only in their keys, which are secret. */
interface Sum {
  readonly row: RelayRow;
  running: number;
  bytes: number;
  reconnects: number;
}

/** Relays to and from other RTMP servers. */
export const RELAYS: readonly MetricFamily[] = [
  gauges(
    "cumulus_relays",
    "Relays to and from other RTMP servers, by state.",
    ({ relays }) => byState(relays),
  ),
  gauges(
    "cumulus_relay_running",
    "1 if the relay runs, else 0.",
    ({ relays }) => each(relays, ({ running }) => running),
  ),
  counters(
    "cumulus_relay_bytes_total",
    "Bytes that a relay has sent (push) or received (pull).",
    ({ relays }) => each(relays, ({ bytes }) => bytes),
  ),
  counters(
    "cumulus_relay_reconnects_total",
    "Times that a relay connected again after an end.",
    ({ relays }) => each(relays, ({ reconnects }) => reconnects),
  ),
];

function byState(relays: readonly RelayRow[]): Sample[] {
  return ["push", "pull"].flatMap((direction) =>
    STATES.map((state): Sample => [
      { direction, state },
      relays.filter((row) => row.direction === direction && row.state === state).length,
    ])
  );
}

function each(relays: readonly RelayRow[], value: (sum: Sum) => number): Sample[] {
  const sums = new Map<string, Sum>();
  for (const row of relays) {
    const { direction, name, target, state } = row;
    const place = JSON.stringify([direction, name, target]);
    const sum = sums.get(place) ?? { row, running: 0, bytes: 0, reconnects: 0 };
    sums.set(place, sum);
    if (state === "running") sum.running++;
    sum.bytes += direction === "push" ? row.bytesOut : row.bytesIn;
    sum.reconnects += row.reconnects;
  }
  return [...sums.values()].map((sum) => {
    const { direction, name, target } = sum.row;
    return [{ direction, name, target }, value(sum)];
  });
}
