import assert from "node:assert/strict";
import { insertTable, type Results } from "../../bench/support/report.ts";
import { TITLES } from "../../bench/support/targets.ts";
import { rounded, Samples } from "../../bench/support/samples.ts";

const floor = {
  bytes: 1200,
  packets: 1000,
  aes_us: 1,
  sendto_us: 4,
  sendmmsg_us: 3,
  aes_sendto_us: 5,
  aes_sendmmsg_us: 4,
  received_share: 1,
};

const results: Results = {
  date: "2026-01-31",
  machine: { cpu: "a CPU", cores: 2, system: "linux 6", deno: "2.9.6", load: 0.5 },
  limit: floor,
  runs: [
    {
      title: TITLES.fanOut(200),
      command: "bench/fanout.ts",
      floor,
      others: [{ server_cpu_us_per_packet: 8 }, { server_cpu_us_per_packet: 11.5 }],
      result: {
        bench: "fanout",
        server_cpu_us_per_packet: 9,
        packets_per_second: 24000,
        server_cpu_share: 0.2,
        delivered_share: 1,
        delay_p50_ms: 3,
        delay_p99_ms: 9,
        memory_per_listener_bytes: 51200,
      },
    },
    {
      title: "groups",
      command: "bench/groups.ts",
      result: {
        bench: "groups",
        sizes: [{
          members: 1000,
          joins_per_second: 2000,
          server_cpu_us_per_join: 300,
          memory_per_member_bytes: 2048,
          introductions_per_second: 9000,
          server_cpu_us_per_introduction: 50,
        }],
      },
    },
    {
      title: "sockets",
      command: "bench/sockets.ts",
      result: {
        bench: "sockets",
        without: {
          rpc_p50_ms: 5,
          rpc_p99_ms: 11,
          loop_worst_lag_ms: 4,
          server_cpu_share: 0.1,
        },
        with_sockets: {
          rpc_p50_ms: 6,
          rpc_p99_ms: 14,
          loop_worst_lag_ms: 7,
          server_cpu_share: 0.44,
        },
        sockets_seen: {
          connections: 1000,
          echoes_per_second: 5000,
          echo_p50_ms: 1,
          echo_p99_ms: 24,
        },
      },
    },
    {
      title: TITLES.meanwhile,
      command: "bench/fanout.ts --handshakes",
      floor,
      result: { bench: "fanout", delay_p99_ms: 40 },
    },
    { title: "calls", command: "bench/rpc.ts", error: "The server does not answer" },
    { title: "costs", command: "bench/crypto.ts", result: { seal: 3, native: { seal: 1 } } },
  ],
};

Deno.test("insertTable() replaces the text between its marks by the table", () => {
  const readme =
    "# Title\n\n<!-- results: written by bench/all.ts -->\nold\n<!-- end of results -->\n\nafter\n";
  const once = insertTable(readme, results);
  assert.match(once, /^# Title\n/);
  assert.match(once, /\n\nafter\n$/);
  assert.ok(!once.includes("old"));
  assert.match(once, /\*\*9\.00 µs\*\* of CPU a datagram \(2\.3 × sendmmsg, 1\.8 × sendto\)/);
  assert.match(once, /50\.0 KiB a listener/);
  for (
    const row of [
      "| fan-out to 200: CPU a datagram, native | ≤ 9 µs | **9 µs** | 8 – 11.5 | 4.00 µs | 2.25 (2.07) |",
      "| added delay at 200, p99 | ≤ 15 ms | **9 ms** |  |  |  |",
      "| memory of a listener, native | ≤ 64 KiB | **50 KiB** |  |  |  |",
      "| what 500 handshakes/s add to the delay, p99 | ≤ 30 ms | ✗ **31 ms** |  |  |  |",
    ]
  ) assert.ok(once.includes(`\n${row}\n`), row);
  assert.ok(!once.includes("start to listening"), "omits benchmarks that were not run");
  assert.match(
    once,
    /1000 members: \*\*2000 joins\/s\*\*, 300\.00 µs of CPU each, 2\.0 KiB a member/,
  );
  assert.match(
    once,
    /1000 sockets, 5000 echoes\/s, calls p50 6 ms, p99 14 ms \(without them 5 and 11\), \*\*worst gap of the loop 7 ms\*\* \(4\), 44\.00 % of a core \(10\.00 %\), echo p50 1 ms, p99 24 ms/,
  );
  assert.match(once, /\| calls \| failed: The server does not answer \|/);
  assert.match(once, /\| costs \| seal 3, native seal 1 \|/);
  assert.equal(insertTable(once, results), once);
});

Deno.test("insertTable() appends the table to a text without its marks", () => {
  const text = insertTable("# Title\n", { ...results, limit: "there is no cc" });
  assert.match(text, /^# Title\n\n<!-- results/);
  assert.match(text, /No floor: there is no cc\./);
});

Deno.test("Samples returns quantiles of more samples than its initial capacity", () => {
  const samples = new Samples();
  assert.equal(samples.quantile(0.5), undefined);
  for (let i = 200_000; i > 0; i--) samples.add(i);
  assert.deepEqual([samples.quantile(0), samples.quantile(0.5), samples.quantile(1)], [
    1,
    100_001,
    200_000,
  ]);
  samples.clear();
  samples.add(7);
  assert.equal(samples.quantile(0.99), 7);
  assert.deepEqual([rounded(1.2345, 2), rounded(NaN, 1), rounded(undefined, 1)], [
    1.23,
    null,
    null,
  ]);
});
