// Measures how long a client waits for the address of a peer at another server of the bus.
import { fromHex } from "../../src/bytes/hex.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { sleep } from "../../src/common/wait.ts";
import { hello } from "../../tests/conformance/support/hello.ts";
import { until } from "../../tests/support/wait.ts";
import { Generator } from "../load/generator.ts";
import type { Server } from "./process.ts";
import { rounded, Samples } from "./samples.ts";
import { connectAll } from "./steps.ts";

const COUNT = 300;

/** @param clients number of other clients connected meanwhile, at all servers together */
export async function measureIntroductions(servers: readonly Server[], clients: number) {
  const portOf = (i: number) => Number(new URL(servers[i]!.url.replace("rtmfp", "http")).port);
  const generators: Generator[] = [];
  const peers: NetConnection[] = [];
  try {
    for (const [i, { url }] of servers.entries()) {
      const target = { hostname: "127.0.0.1", port: portOf(i) };
      const generator = new Generator({ url, target });
      generators.push(generator);
      const crowd = Array.from({ length: clients / servers.length }, () => generator.add());
      await connectAll(generator, crowd, "bench");
    }
    for (const { url } of servers) peers.push(await NetConnection.connect(url));
    const others = servers.length - 1;
    await until(async () => await peers[0]!.call("servers") === others, "the other servers");
    await sleep(500); // until the servers know the peers' addresses
    const delays = new Samples();
    const unanswered: string[] = [];
    for (let i = 0; i < COUNT; i++) {
      const at = i % servers.length;
      const of = (at + 1 + i % others) % servers.length;
      const begun = performance.now();
      const peerId = fromHex(peers[of]!.nearId);
      const { kind } = await hello(portOf(at), { peerId, patience: 1000 });
      if (kind === "redirect") delays.add(performance.now() - begun);
      else unanswered.push(kind);
    }
    return {
      clients,
      count: delays.count,
      unanswered: unanswered.length,
      p50_ms: rounded(delays.quantile(0.5), 1),
      p99_ms: rounded(delays.quantile(0.99), 1),
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.close()));
    for (const generator of generators) generator.close();
  }
}
