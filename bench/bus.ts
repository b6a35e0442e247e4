// Three servers on a bus: introductions across servers, and the delay that the bus adds to frames.
// Options: `--help`.
import { NatsServer } from "../tests/peers/nats.ts";
import { measureIntroductions } from "./support/bus_introductions.ts";
import { type LoadOf, measureStreams } from "./support/bus_streams.ts";
import { helpOrRun } from "./support/help.ts";
import { startServer } from "./support/process.ts";

helpOrRun(`
Usage: deno run -A bench/bus.ts [--quick] [stream] [streams] [introductions]

Measures the named parts (default: all) on three servers with one nats-server:
  stream           one stream to listeners at each server
  streams          streams to listeners at servers other than their own
  introductions    introductions of clients of different servers

Options:
  --quick          fewer clients and shorter runs
  --help           print this and exit
`);
const SERVERS = 3;
const APPLICATION = `
function onConnection(client)
  function client:servers() return cumulus.servers.count end
end`;

const quick = Deno.args.includes("--quick");
const parts = Deno.args.filter((arg) => !arg.startsWith("--"));
const wanted = (part: string) => parts.length === 0 || parts.includes(part);
const [clients, listeners, count, each, seconds] = quick
  ? [300, 10, 4, 10, 3]
  : [3000, 100, 20, 10, 20];

/** One stream, published at the first server, with {@link listeners} listeners at each server. */
function oneStream(): LoadOf[] {
  return Array.from({ length: SERVERS }, (_, server) => ({
    server,
    publish: server === 0 ? ["s0*1"] : [],
    listen: [`s0*${listeners}`],
  }));
}

/** Streams, published at the servers in turn; each has listeners only at the two other servers. */
function manyStreams(): LoadOf[] {
  const names = Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: SERVERS }, (_, server) => ({
    server,
    publish: names.filter((i) => i % SERVERS === server).map((i) => `s${i}*1`),
    listen: names.filter((i) => i % SERVERS !== server).map((i) => `s${i}*${each / 2}`),
  }));
}

await using nats = await NatsServer.start();
const servers = await Promise.all(Array.from({ length: SERVERS }, (_, i) =>
  startServer(
    `publicAddress = server${i}.example:1935\n[bus]\nservers = ${nats.url}`,
    APPLICATION,
  )));
try {
  const result: Record<string, unknown> = { servers: SERVERS };
  if (wanted("stream")) {
    const about = { streams: 1, listeners_at_each_server: listeners };
    result.stream = { ...about, ...await measureStreams(servers, oneStream(), seconds, nats.pid) };
  }
  if (wanted("streams")) {
    const about = { streams: count, listeners_of_each_stream: each };
    result.streams = {
      ...about,
      ...await measureStreams(servers, manyStreams(), seconds, nats.pid),
    };
  }
  if (wanted("introductions")) {
    result.introductions = await measureIntroductions(servers, clients);
  }
  console.log(JSON.stringify(result, undefined, 2));
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}
