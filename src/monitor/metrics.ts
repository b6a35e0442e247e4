// The metrics for Prometheus, in its text format:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
import { METRICS } from "./metric_table.ts";
import type { MonitorSource } from "./snapshot.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The text of a scrape: the current value of every metric. */
export function metricsOf(source: MonitorSource): string {
  const numbers = {
    status: source.status(),
    totals: source.totals(),
    servers: source.servers(),
    applications: source.applications(),
    relays: source.relays(0, Infinity).rows,
  };
  let text = "";
  for (const { type, name, help, samples } of METRICS) {
    const all = samples(numbers);
    if (!all) continue;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [labels, value] of all) text += `${name}${braces(labels)} ${value}\n`;
  }
  return text;
}

function braces(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Escapes the value of a label, such as an application's path. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
