// docs/monitoring.md has every metric with its help text of a scrape.
import assert from "node:assert/strict";
import { metricsOf } from "../../src/monitor/metrics.ts";
import { fakeSource } from "../monitor/fake_source.ts";

Deno.test("docs/monitoring.md has every metric with labels and help", () => {
  const source = fakeSource();
  const status = source.status();
  source.status = () => ({ ...status, limits: { ...status.limits, keptBytes: 1 } });
  const text = metricsOf(source);
  const rows = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n(.*)/gm)].map(
    ([, name, help, type, sample]) => {
      const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label).join(", ");
      return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
    },
  );
  assert.ok(rows.length > 40, `${rows.length} metrics`);
  const shown = Deno.readTextFileSync(new URL("../../docs/monitoring.md", import.meta.url))
    .split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.replaceAll(/ +\|/g, " |").replaceAll("|  |", "| |"));
  const expected = rows.map((row) => row.replaceAll("|  |", "| |"));
  assert.deepEqual(shown, expected, `The table should be:\n${rows.join("\n")}`);
});
