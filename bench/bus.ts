// Three servers on a bus: introductions across servers, and what the bus adds to the way of a frame.
// Run by itself: deno run -A bench/bus.ts [CLIENTS] [LISTENERS] [SECONDS]. Needs nats-server.
import { NetConnection } from "../src/client/net_connection.ts";
import { fromHex } from "../src/bytes/hex.ts";
import { hello } from "../tests/conformance/support/hello.ts";
import { until } from "../tests/support/wait.ts";
import { NatsServer } from "../tests/peers/nats.ts";
import { Generator } from "./load/generator.ts";
import { ownCpu, startServer, usageOf } from "./support/process.ts";
import { rounded, Samples } from "./support/samples.ts";
import { connectAll } from "./support/steps.ts";

const [clients = 3000, listeners = 10, seconds = 5] = Deno.args.map(Number);
const SERVERS = 3;
const APPLICATION = `
function onConnection(client)
  function client:servers() return cumulus.servers.count end
end`;
/** 1 Mb/s. */
const [FRAMES_PER_SECOND, FRAME_BYTES] = [25, 5000];

const summary = (samples: Samples) => ({
  count: samples.count,
  p50_ms: rounded(samples.quantile(0.5) ?? NaN, 1),
  p99_ms: rounded(samples.quantile(0.99) ?? NaN, 1),
});

await using nats = await NatsServer.start();
const servers = await Promise.all(Array.from({ length: SERVERS }, (_, i) =>
  startServer(
    `publicAddress = server${i}.example:1935\n[bus]\nservers = ${nats.url}`,
    APPLICATION,
  )));
const portOf = (i: number) => Number(new URL(servers[i].url.replace("rtmfp", "http")).port);
const generators: Generator[] = [];
const peers: NetConnection[] = [];
try {
  for (const [i, { url }] of servers.entries()) {
    const target = { hostname: "127.0.0.1", port: portOf(i) };
    const generator = new Generator({ url, target });
    generators.push(generator);
    const crowd = Array.from({ length: clients / SERVERS }, () => generator.add());
    await connectAll(generator, crowd, "bench");
  }
  for (const { url } of servers) peers.push(await NetConnection.connect(url));
  await until(async () => await peers[0].call("servers") === SERVERS - 1, "the other servers");
  await new Promise((resolve) => setTimeout(resolve, 500)); // the servers know the peers' addresses

  const introductions = new Samples();
  const unanswered: string[] = [];
  for (let i = 0; i < 300; i++) {
    const [at, of] = [i % SERVERS, (i + 1 + i % 2) % SERVERS];
    const begun = performance.now();
    const { kind } = await hello(portOf(at), { peerId: fromHex(peers[of].nearId), patience: 1000 });
    if (kind === "redirect") introductions.add(performance.now() - begun);
    else unanswered.push(kind);
  }

  const delays = { here: new Samples(), elsewhere: new Samples() };
  const publisher = await NetConnection.connect(servers[0].url);
  const stream = await publisher.createStream();
  await stream.publish("bench");
  for (const [i, { url }] of servers.entries()) {
    for (let n = 0; n < listeners; n++) {
      const connection = await NetConnection.connect(url);
      peers.push(connection);
      const playing = await connection.createStream();
      playing.handler = {
        onVideo: (_time, data) => {
          const sentAt = new DataView(data.buffer, data.byteOffset).getFloat64(5);
          (i === 0 ? delays.here : delays.elsewhere).add(performance.now() - sentAt);
        },
      };
      await playing.play("bench");
    }
  }
  const cpu = () => servers.map(({ pid }) => usageOf(pid!).cpu);
  const [before, ownBefore, start] = [cpu(), ownCpu(), performance.now()];
  for (let n = 0; n < seconds * FRAMES_PER_SECOND; n++) {
    const due = start + n * 1000 / FRAMES_PER_SECOND;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const frame = new Uint8Array(FRAME_BYTES);
    frame.set([n % FRAMES_PER_SECOND === 0 ? 0x17 : 0x27, 1]);
    new DataView(frame.buffer).setFloat64(5, performance.now());
    stream.sendVideo(n * 40, frame);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  const elapsed = performance.now() - start;
  const after = cpu();
  console.log(JSON.stringify(
    {
      servers: SERVERS,
      clients,
      introductions: { ...summary(introductions), unanswered: unanswered.length },
      stream: {
        listeners_of_each: listeners,
        frames_sent: seconds * FRAMES_PER_SECOND,
        here: summary(delays.here),
        elsewhere: summary(delays.elsewhere),
        server_cpu_share: after.map((one, i) => rounded((one - before[i]) / elapsed / 1000, 3)),
        generator_cpu_share: rounded((ownCpu() - ownBefore) / elapsed / 1000, 3),
      },
    },
    undefined,
    2,
  ));
  await Promise.all([publisher, ...peers].map((connection) => connection.close()));
} finally {
  for (const generator of generators) generator.close();
  await Promise.all(servers.map((server) => server.stop()));
}
