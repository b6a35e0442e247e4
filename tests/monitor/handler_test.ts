import assert from "node:assert/strict";
import { Monitor, type MonitorOptions } from "../../src/monitor/handler.ts";
import { metricsOf } from "../../src/monitor/metrics.ts";
import { fakeSource } from "./fake_source.ts";

const monitor = (options: Partial<MonitorOptions> = {}): Monitor =>
  new Monitor({
    source: fakeSource(),
    token: "",
    hosts: [],
    healthy: () => true,
    restart: () => {},
    ...options,
  });

const get = (path: string, headers: Record<string, string> = {}): Request =>
  new Request(`http://127.0.0.1:1980${path}`, { headers });

Deno.test("Monitor answers /metrics with every metric in Prometheus format", async () => {
  const response = await monitor().handle(get("/metrics"));
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type")!, /^text\/plain; version=0.0.4/);
  const text = await response.text();
  for (
    const line of [
      'cumulus_info{version="1.2.3",crypto="libcrypto",socket="sendmmsg"} 1',
      `cumulus_build_info{version="1.2.3",deno="${Deno.version.deno}",os="${Deno.build.os}",arch="${Deno.build.arch}"} 1`,
      "process_cpu_seconds_total 12.5",
      "process_resident_memory_bytes 123000000",
      "process_start_time_seconds 1700000000",
      "process_open_fds 42",
      "process_max_fds 65536",
      "cumulus_sessions_limit 100000",
      'cumulus_door_sessions_limit{door="rtmp"} 10000',
      "cumulus_lua_bytes_limit 268435456",
      "cumulus_file_players_limit 256",
      'cumulus_application_running{application="/live"} 1',
      'cumulus_application_clients{application="/live"} 150',
      "cumulus_uptime_seconds 3700",
      "cumulus_clients 2",
      "cumulus_listeners 41",
      'cumulus_door_sessions{door="rtmp"} 5',
      'cumulus_door_bytes_total{door="rtmp",direction="out"} 20000000',
      'cumulus_door_closed_total{door="rtmp",reason="connect timeout"} 2',
      'cumulus_handshakes_total{protocol="rtmp"} 12',
      'cumulus_relays{direction="push",state="waiting"} 1',
      'cumulus_relays{direction="pull",state="running"} 0',
      'cumulus_relay_running{direction="push",name="camera",target="rtmps://a.example/live2/…"} 1',
      'cumulus_relay_bytes_total{direction="push",name="camera",target="rtmps://a.example/live2/…"} 4001000',
      'cumulus_relay_reconnects_total{direction="push",name="camera",target="rtmps://a.example/live2/…"} 7',
      'cumulus_relay_bytes_total{direction="pull",name="<b>\\"hall\\"",target="rtmp://192.0.2.7/live/…"} 70',
      'cumulus_drops_total{reason="bad checksum"} 4',
      'cumulus_sandbox_refusals_total{rule="connect"} 3',
      'cumulus_script_errors_total{application="/live"} 5',
      'cumulus_script_errors_total{application="/"} 0',
      'cumulus_refusals_total{application="/live",step="connect"} 17',
      'cumulus_dropped_frames_total{kind="audio"} 3',
      'cumulus_dropped_frames_total{kind="video"} 7',
      'cumulus_skipped_frames_total{kind="video"} 5',
      "cumulus_kept_bytes 4096",
      "cumulus_shared_objects 2",
      'cumulus_shared_object_requests_total{what="refused"} 6',
      'cumulus_shared_object_writes_total{result="failed"} 1',
      "cumulus_recordings 2",
      "cumulus_file_players 31",
      "cumulus_recorded_bytes_total 5000",
      "cumulus_loop_lag_worst_seconds 0.01225",
    ]
  ) assert.ok(text.split("\n").includes(line), line);
});

Deno.test("Monitor omits unknown values and absent limits from /metrics", () => {
  const source = fakeSource();
  const status = source.status();
  source.status = () => ({
    ...status,
    process: { ...status.process, openFiles: null, maxFiles: null },
    limits: { ...status.limits, sessions: 0 },
  });
  const text = metricsOf(source);
  for (const name of ["process_open_fds", "process_max_fds", "cumulus_sessions_limit"]) {
    assert.ok(!text.includes(name), name);
  }
  assert.ok(!text.includes("cumulus_kept_bytes_limit"));
});

Deno.test("Monitor answers /metrics with the same counters at a second scrape", async () => {
  const one = monitor();
  await one.handle(get("/metrics"));
  const text = await (await one.handle(get("/metrics"))).text();
  assert.match(text, /^cumulus_handshakes_total\{protocol="rtmfp"\} 17$/m);
});

Deno.test("metricsOf() returns valid Prometheus text for any name of an application", () => {
  const source = fakeSource();
  const [row] = source.applications();
  source.applications = () => [{ ...row, path: '/"\\n"\ncumulus_clients 99\\', errors: 2 }];
  const text = metricsOf(source);
  assert.ok(text.endsWith("\n"));
  const seen = new Set<string>();
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, comment, name] = /^# (HELP|TYPE) (\w+) \S/.exec(line) ?? [];
    if (comment === "HELP") {
      assert.ok(!seen.has(name), `${name} is there twice`);
      seen.add(family = name);
    } else if (comment) assert.match(line, new RegExp(`^# TYPE ${family} (gauge|counter)$`));
    else {
      assert.match(
        line,
        /^\w+(\{\w+="([^"\\]|\\[\\n"])*"(,\w+="([^"\\]|\\[\\n"])*")*\})? [\d.e+-]+$/,
      );
      assert.equal(/^\w+/.exec(line)![0], family);
    }
  }
  assert.match(text, /\{application="\/\\"\\\\n\\"\\ncumulus_clients 99\\\\"\} 2\n/);
});

Deno.test("Monitor answers /api/… with rows as JSON, 100 an answer unless limit= sets another number", async () => {
  const rows = async (path: string) => await (await monitor().handle(get(path))).json();
  const first = await rows("/api/clients");
  assert.equal(first.total, 150);
  assert.equal(first.rows.length, 100);
  assert.equal((await rows("/api/clients?offset=140&limit=50")).rows.length, 10);
  assert.equal((await rows("/api/clients?limit=-1")).rows.length, 100);
  assert.equal((await rows("/api/clients?limit=1e9")).rows.length, 150);
  assert.equal((await rows("/api/publications")).rows[0].listeners, 41);
  const filtered = await rows("/api/clients?filter=192.0.2.14&sort=-ping&limit=2");
  assert.deepEqual([filtered.total, filtered.found], [150, 11]);
  assert.deepEqual(filtered.rows.map(({ ping }: { ping: number }) => ping), [149, 148]);
  assert.equal((await rows("/api/groups")).rows[0].size, 12);
  assert.equal((await rows("/api/servers")).rows[0].publicAddress, "b.example:1935");
  assert.equal((await rows("/api/relays?limit=2")).rows[1].reconnects, 5);
  assert.equal((await rows("/api/relays?limit=2")).total, 3);
  assert.match((await rows("/api/applications")).rows[1].lastError.text, /nil value/);
  const status = await rows("/api/status");
  assert.equal(status.version, "1.2.3");
  assert.equal(status.listeners, 41);
});

Deno.test("Monitor requires a configured token for /metrics and /api, not for /health and the page", async () => {
  const one = monitor({ token: "s3cret" });
  for (const path of ["/metrics", "/api/status", "/api/clients"]) {
    assert.equal((await one.handle(get(path))).status, 401, path);
    for (const wrong of ["Bearer S3cret", "Bearer s3cret2", "Basic s3cret", "s3cret"]) {
      assert.equal((await one.handle(get(path, { authorization: wrong }))).status, 401, wrong);
    }
    assert.match(await (await one.handle(get(path))).text(), /^Token required: .*Bearer TOKEN\n$/);
    const wrong = await one.handle(get(path, { authorization: "Bearer no" }));
    assert.equal(await wrong.text(), "Wrong token\n");
    const right = await one.handle(get(path, { authorization: "Bearer s3cret" }));
    assert.equal(right.status, 200, path);
  }
  for (const path of ["/", "/help", "/page.js", "/table.js", "/style.css", "/health"]) {
    assert.equal((await one.handle(get(path))).status, 200, path);
  }
});

Deno.test("Monitor answers /health with 503 while the server stops", async () => {
  let up = true;
  const one = monitor({ healthy: () => up });
  assert.equal((await one.handle(get("/health"))).status, 200);
  up = false;
  assert.equal((await one.handle(get("/health"))).status, 503);
});

Deno.test("Monitor refuses requests whose host is neither local nor configured", async () => {
  const ask = (url: string) => monitor({ hosts: ["stats.example"] }).handle(new Request(url));
  assert.equal((await ask("http://evil.example/api/status")).status, 421);
  for (const host of ["localhost:1980", "127.0.0.1", "[::1]:1980", "stats.example"]) {
    assert.equal((await ask(`http://${host}/api/status`)).status, 200, host);
  }
  const page = await ask("http://localhost/");
  assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/);
  assert.equal(page.headers.get("access-control-allow-origin"), null);
});

Deno.test("Monitor answers 404 to unknown paths, and 405 to POST of a read-only path", async () => {
  assert.equal((await monitor().handle(get("/nothing"))).status, 404);
  const unknown = await monitor().handle(get("/api/nothing"));
  assert.equal(unknown.status, 404);
  const paths = (await unknown.text()).match(/(?<!POST )\/api\/\w+/g)!;
  assert.equal(paths.length, 8);
  for (const path of paths) {
    assert.equal((await monitor().handle(get(path))).status, 200, path);
  }
  const post = new Request("http://127.0.0.1/api/status", { method: "POST" });
  assert.equal((await monitor().handle(post)).status, 405);
});

Deno.test("Monitor answers 500 if its source throws", async () => {
  const source = fakeSource();
  source.status = () => {
    throw new Error("broken");
  };
  const response = await monitor({ source }).handle(get("/api/status"));
  assert.equal(response.status, 500);
});

Deno.test("Monitor requires the token and POST for /api/reload", async () => {
  let restarts = 0;
  const restart = () => void restarts++;
  const ask = async (token: string, given: string, method = "POST") => {
    const headers = given === "" ? undefined : { authorization: `Bearer ${given}` };
    const request = new Request("http://127.0.0.1:1980/api/reload", { method, headers });
    return await monitor({ token, restart }).handle(request);
  };
  const refused = [["", ""], ["", "x"], ["secret", ""], ["secret", "wrong"]];
  for (const [token, given] of refused) {
    assert.equal((await ask(token, given)).status, token === "" ? 403 : 401);
  }
  assert.equal((await ask("secret", "secret", "GET")).status, 405);
  const other = new Request("http://other.example/api/reload", {
    method: "POST",
    headers: { authorization: "Bearer secret" },
  });
  assert.equal((await monitor({ token: "secret", restart }).handle(other)).status, 421);
  assert.equal(restarts, 0);
  const response = await ask("secret", "secret");
  assert.equal(response.status, 200);
  assert.equal(restarts, 1);
  assert.equal((await response.json()).rows[0].path, fakeSource().applications()[0].path);
});
