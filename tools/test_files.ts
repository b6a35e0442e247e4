// Tests that run with `--fast`, and tests that start first.
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";

const tests = fileURLToPath(new URL("../tests/", import.meta.url));

/** Folders and files of tests that need only the processor. */
export const FAST = [
  "amf",
  "bus",
  "bytes",
  "cluster",
  "common",
  "config",
  "docs",
  "flash",
  "flv",
  "log",
  "media",
  "openssl",
  "rtmfp",
  "rtmp",
  "rtws",
  "store",
  "tc",
  "wasm",
  "web/file_viewer_test.ts",
  "web/kinds_test.ts",
  "web/remoting_test.ts",
  "web/stalled_viewers_test.ts",
  "web/tag_block_test.ts",
];

/** Files in those folders that do not run with `--fast`: they take long, or need more than the processor. */
export const NOT_FAST = [
  "docs/samples_test.ts",
  "docs/site_test.ts",
  "flash/hostile_test.ts",
  "flash/memory_test.ts",
  "flash/slow_listeners_test.ts",
  "rtmfp/session/throughput_test.ts",
];

/**
 * Files that run with `--fast`, named from the folder `tests`. `deno test --ignore` would not do: with
 * several folders it ignores files of the first folder only.
 */
export function fastFiles(): string[] {
  return FAST
    .flatMap((name) =>
      name.endsWith(".ts") ? name : globSync(`${name}/**/*_test.ts`, { cwd: tests })
    )
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => !NOT_FAST.includes(name));
}

/**
 * The slowest files. They wait for clocks, browsers and other programs, so they start before all others,
 * which compute meanwhile: a long file that started last would leave the other cores idle. Of these files
 * `deno test` starts those in the folders with the longest names first.
 */
export const LONG = [
  "server/frozen_server_test.ts",
  "compile_test.ts",
  "server/scalability_test.ts",
  "server/scalability_publication_test.ts",
  "peers/bus_test.ts",
  "rtmfp/session/throughput_test.ts",
  "www/telnet_test.ts",
  "www/beacon_test.ts",
  "conformance/configuration_test.ts",
  "www/lookup_test.ts",
  "peers/recordings_test.ts",
  "peers/bus_split_test.ts",
  "conformance/cluster_scripts_test.ts",
  "web/browser_test.ts",
  "server/links_test.ts",
  "peers/bus_users_test.ts",
  "server/start_test.ts",
  "peers/players_test.ts",
  "server/scalability_group_test.ts",
  "net/mailer_test.ts",
  "conformance/cluster_wire_test.ts",
  "peers/bus_doors_test.ts",
  "conformance/events_test.ts",
  "conformance/servers_test.ts",
  "client/namespaces_test.ts",
  "client/rtmp_cli_test.ts",
  "client/cli/peer_test.ts",
  "peers/bus_load_test.ts",
  "web/hostile_test.ts",
  "web/live_player_test.ts",
  "script/sandbox_test.ts",
  "www/url_parameters_test.ts",
  "conformance/applications_test.ts",
  "monitor/page_test.ts",
  "server/publish_play_test.ts",
];
