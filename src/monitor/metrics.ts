// The numbers for Prometheus.
import { Counter, Gauge, Registry } from "prom-client";
import type { Source } from "./snapshot.ts";

/** Makes the registry that `/metrics` prints; every scrape asks the source afresh. */
export function metricsOf(source: Source): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  /** Counts that are kept elsewhere, with one label. */
  const counter = (
    name: string,
    help: string,
    label: string,
    values: () => Readonly<Record<string, number>>,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [key, value] of Object.entries(values())) this.inc({ [label]: key }, value);
      },
    });
  };

  new Gauge({
    name: "cumulus_info",
    help: "Always 1; the labels tell what runs.",
    labelNames: ["version", "crypto", "socket"],
    registers: [registry],
    collect() {
      const { version, backends } = source.status();
      this.reset();
      this.set({ version, ...backends }, 1);
    },
  });
  gauge("cumulus_uptime_seconds", "Since the start.", () => source.status().uptime);
  gauge("cumulus_sessions", "RTMFP sessions that are open.", () => source.status().sessions.open);
  gauge(
    "cumulus_sessions_opening",
    "RTMFP sessions in their handshake.",
    () => source.status().sessions.opening,
  );
  gauge("cumulus_clients", "Accepted clients.", () => source.status().sessions.clients);
  gauge("cumulus_publications", "Names being published.", () => source.totals().publications);
  gauge("cumulus_listeners", "Streams being played.", () => source.totals().listeners);
  gauge("cumulus_groups", "NetGroups.", () => source.totals().groups);
  gauge("cumulus_servers", "Linked servers.", () => source.servers().length);
  counter("cumulus_datagrams_total", "Datagrams.", "direction", () => {
    const { datagramsIn, datagramsOut } = source.status().traffic;
    return { in: datagramsIn, out: datagramsOut };
  });
  counter("cumulus_bytes_total", "Bytes of datagrams.", "direction", () => {
    const { bytesIn, bytesOut } = source.status().traffic;
    return { in: bytesIn, out: bytesOut };
  });
  counter("cumulus_drops_total", "Datagrams dropped.", "reason", () => source.status().drops);
  counter(
    "cumulus_sandbox_refusals_total",
    "Steps of scripts that the sandbox refused.",
    "rule",
    () => source.status().refusals,
  );
  counter(
    "cumulus_script_errors_total",
    "Errors of scripts.",
    "application",
    () =>
      Object.fromEntries(source.applications().map(({ path, errors }) => [path || "/", errors])),
  );
  counter(
    "cumulus_handshakes_total",
    "Handshakes that opened a session.",
    "protocol",
    () => ({ rtmfp: source.status().handshakes }),
  );
  counter(
    "cumulus_dropped_frames_total",
    "Video frames not sent to listeners that were too slow.",
    "kind",
    () => ({ video: source.totals().droppedFrames }),
  );
  gauge(
    "cumulus_loop_lag_worst_seconds",
    "Worst lateness of the loop over the last ten seconds.",
    () => source.status().loop.lagWorst / 1000,
  );
  gauge(
    "process_resident_memory_bytes",
    "Resident memory.",
    () => source.status().memory.resident,
  );
  gauge("cumulus_heap_bytes", "JavaScript heap in use.", () => source.status().memory.heap);
  gauge("cumulus_lua_bytes", "Memory of the Lua machine.", () => source.status().memory.lua);
  return registry;
}
