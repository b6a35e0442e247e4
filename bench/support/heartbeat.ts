// Reads what load/heartbeat.ts writes.
import { Samples } from "./samples.ts";

export interface Gaps {
  /** Delay (ms) of the event loop. */
  readonly p99: number;
  readonly worst: number;
  /** The same without the time for which its thread waited for the core. */
  readonly ownP99: number;
  readonly ownWorst: number;
}

/** The heartbeat of a server that is started with {@link flags} and {@link env}. */
export class Heartbeat {
  readonly #file = Deno.makeTempFileSync({ prefix: "cumulus-heartbeat-" });
  readonly flags = [`--preload=${new URL("../load/heartbeat.ts", import.meta.url).pathname}`];
  readonly env = { BENCH_HEARTBEAT: this.#file };

  /** Gaps between two times (ms since 1970). */
  between(from: number, to: number): Gaps {
    const [gaps, own] = [new Samples(), new Samples()];
    for (const line of Deno.readTextFileSync(this.#file).split("\n")) {
      if (line === "") continue;
      const note = JSON.parse(line) as { at: number; gaps: number[]; own: number[] };
      if (note.at - 1_000 < from || note.at > to) continue;
      for (const gap of note.gaps) gaps.add(gap);
      for (const gap of note.own) own.add(gap);
    }
    const of = (samples: Samples, share: number) => samples.quantile(share) ?? NaN;
    return {
      p99: of(gaps, 0.99),
      worst: of(gaps, 1),
      ownP99: of(own, 0.99),
      ownWorst: of(own, 1),
    };
  }

  close(): void {
    Deno.removeSync(this.#file);
  }
}
