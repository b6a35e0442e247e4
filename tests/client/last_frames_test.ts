// The end of a stream on a bad line, in virtual time.
import assert from "node:assert/strict";
import { Frame } from "../../src/media/frame.ts";
import { Internet, SimulatedClient, SimulatedServer } from "../support/simulated_peers.ts";

const SERVER = { hostname: "192.0.2.1", port: 1935 };
const CLIENT = { hostname: "198.51.100.7", port: 5000 };
const RECEPTION = { received: 1, lost: 0, ping: 0 };
const UNPUBLISHED = "NetStream.Play.UnpublishNotify";

for (const seed of [1, 2, 3, 4]) {
  for (const lastBytes of [2_000, 1_500_000]) {
    Deno.test(`A player gets every frame before the end, with 5 % loss and a last frame of ${lastBytes} bytes (seed ${seed})`, async () => {
      const internet = new Internet({ seed, loss: 0.05, delay: [20, 40] });
      const server = new SimulatedServer(internet, [SERVER]);
      const client = new SimulatedClient(internet, { addresses: [CLIENT] });
      const came = { audio: 0, video: 0, lastVideo: 0, beforeUnpublish: 0 };
      let drained = false;
      const play = async () => {
        const connection = await client.connect(server);
        const stream = await connection.createStream();
        stream.handler = {
          onAudio: () => void came.audio++,
          onVideo: (_time, data) => {
            came.video++;
            came.lastVideo = data.length;
          },
          onStatus: ({ code }) => {
            if (code !== UNPUBLISHED) return;
            came.beforeUnpublish = came.video;
            stream.drain().then(() => drained = true);
          },
        };
        await stream.play("cam");
      };
      play();
      await internet.run(60_000, () => server.hub.publications.get("cam") !== undefined);
      await internet.run(1_000);
      const publisher = server.hub.relay("cam", "test");
      publisher.start();
      for (let n = 0; n < 50; n++) {
        publisher.audio(new Frame("audio", n * 20, Uint8Array.of(0x2f, n)), RECEPTION);
        const video = new Uint8Array(n === 49 ? lastBytes : 3_000);
        video[0] = n === 0 ? 0x12 : 0x22;
        publisher.video(new Frame("video", n * 20, video), RECEPTION);
        await internet.run(20);
      }
      server.hub.unpublish(publisher);
      await internet.run(120_000, () => drained);
      assert.deepEqual(
        { audio: came.audio, video: came.video, lastVideo: came.lastVideo, drained },
        { audio: 50, video: 50, lastVideo: lastBytes, drained: true },
      );
      if (lastBytes > 1_000_000) {
        assert.ok(came.beforeUnpublish < 50, "no frame was in flight at the end");
      }
    });
  }
}
