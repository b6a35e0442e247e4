// Tests that run with `--fast`, and files that wait.
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
    .flatMap((name) => name.endsWith(".ts") ? name : filesIn(`${name}/**`))
    .filter((name) => !NOT_FAST.includes(name));
}

/** All test files, named from the folder `tests`. */
export function allFiles(): string[] {
  return filesIn("**");
}

function filesIn(folder: string): string[] {
  return globSync(`${folder}/*_test.ts`, { cwd: tests }).map((name) => name.replaceAll("\\", "/"));
}

/**
 * Files that wait long, for clocks, browsers and other programs. Each runs in a process of its own, the
 * longest first, beside all other files.
 */
export const WAITING = [
  "server/frozen_server_test.ts",
  "compile_test.ts",
  "server/scalability_test.ts",
  "server/scalability_publication_test.ts",
  "peers/recordings_test.ts",
  "peers/bus_test.ts",
  "www/beacon_test.ts",
  "net/mailer_test.ts",
  "peers/bus_split_test.ts",
  "peers/players_test.ts",
  "web/browser_test.ts",
  "server/scalability_group_test.ts",
  "conformance/servers_test.ts",
  "www/telnet_test.ts",
  "monitor/page_test.ts",
  "server/links_test.ts",
  "client/cli/peer_test.ts",
  "conformance/events_test.ts",
  "peers/bus_doors_test.ts",
  "www/lookup_test.ts",
  "web/hostile_test.ts",
  "peers/bus_users_test.ts",
  "client/rtmp_cli_test.ts",
  "web/live_player_test.ts",
  "client/namespaces_test.ts",
  "www/video_test.ts",
  "peers/bus_load_test.ts",
  "peers/relay_test.ts",
  "server/key_agreement_test.ts",
  "www/url_parameters_test.ts",
  "server/publish_play_test.ts",
  "net/script_sockets_test.ts",
  "conformance/rpc_test.ts",
  "conformance/clients_test.ts",
  "conformance/sockets_test.ts",
  "server/sandbox_test.ts",
  "www/lobby_test.ts",
  "www/statistics_test.ts",
  "ruffle/ruffle_test.ts",
  "server/shared_object_crash_test.ts",
  "client/cli_test.ts",
  "conformance/cumulus_test.ts",
  "conformance/publications_test.ts",
  "web/door_test.ts",
  "server/auto_record_test.ts",
  "server/expected_sockets_test.ts",
  "docs/samples_test.ts",
  "peers/rtmp_web_socket_test.ts",
  "conformance/groups_test.ts",
  "conformance/ends_test.ts",
];
