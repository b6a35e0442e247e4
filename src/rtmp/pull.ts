// Publishes a stream of another server here.
import { WireError } from "../bytes/wire_error.ts";
import { Frame } from "../media/frame.ts";
import type { Hub } from "../media/hub.ts";
import type { Publisher } from "../media/publisher.ts";
import { NameTaken } from "../media/refused.ts";
import { readDataMessage } from "../tc/format/data.ts";
import { MessageType } from "../tc/format/messages.ts";
import type { Status } from "../tc/format/status.ts";
import type { RtmpMessage } from "./control.ts";
import type { Relay, RelaySide } from "./relay.ts";
import type { RtmpChannel } from "./rtmp_channel.ts";
import type { RtmpClient } from "./rtmp_client.ts";

const VERSION = "WIN 32,0,0,465";
/** Start value of play: live, or else recorded. */
const ANY = -2;
/** Time (ms) without media after which the stream counts as ended: nginx-rtmp does not announce its end. */
const MEDIA_TIMEOUT = 10_000;
/** Name of the publication's origin. */
const ORIGIN = "relay";

/** Publishes the name from the first message of media or data on. */
export class Pull implements RelaySide {
  readonly words: string;
  readonly object = {
    flashVer: VERSION,
    fpad: false,
    capabilities: 15,
    audioCodecs: 4071,
    videoCodecs: 252,
    videoFunction: 1,
  };
  readonly #hub: Hub;
  #publisher: Publisher | undefined;
  #mediaAt = 0;
  /** The name has another publisher. */
  #taken = false;

  constructor(readonly name: string, hub: Hub) {
    this.words = `pull of ${name} from`;
    this.#hub = hub;
  }

  wanted(): boolean {
    if (this.#publisher && this.#hub.now - this.#mediaAt >= MEDIA_TIMEOUT) this.end();
    return true;
  }

  begin(client: RtmpClient, commands: RtmpChannel, name: string): void {
    client.command(commands, "play", name, ANY);
  }

  onStatus({ level, code }: Status): true | string | undefined {
    switch (code) {
      case "NetStream.Play.Start":
        return true;
      case "NetStream.Play.UnpublishNotify":
      case "NetStream.Play.Stop":
      case "NetStream.Play.Complete":
        this.end();
        return undefined;
      default:
        return level === "error" ? `refused: ${code || "play"}` : undefined;
    }
  }

  onMedia({ type, timestamp, payload }: RtmpMessage, relay: Relay): void {
    if (type === MessageType.audio || type === MessageType.video) {
      if (payload.length === 0) return;
      this.#mediaAt = this.#hub.now;
      const publisher = this.#publish(relay);
      const reception = { received: 1, lost: 0, ping: relay.ping };
      if (type === MessageType.audio) {
        publisher?.audio(new Frame("audio", timestamp, payload), reception);
      } else publisher?.video(new Frame("video", timestamp, payload), reception);
      return;
    }
    const data = dataOf({ type, timestamp, payload });
    if (!data || data.name.startsWith("|") || data.name === "onStatus") return;
    this.#mediaAt = this.#hub.now;
    this.#publish(relay)?.data(new Frame("data", timestamp, data.values, data.name));
  }

  end(): void {
    if (this.#publisher) this.#hub.unpublish(this.#publisher);
    this.#publisher = undefined;
    this.#taken = false;
  }

  #publish(relay: Relay): Publisher | undefined {
    if (this.#publisher) return this.#publisher;
    try {
      const output = { status() {}, close: () => relay.close() };
      const publisher = this.#publisher = this.#hub.relay(this.name, ORIGIN, output);
      publisher.start();
      this.#hub.recordings?.published(publisher.publication, "", "");
      this.#taken = false;
      return publisher;
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error;
      if (!this.#taken) {
        this.#hub.log("warn", `The ${this.words} ${relay.url.shown} waits: ${error.message}`);
      }
      this.#taken = true;
      return undefined;
    }
  }
}

function dataOf(message: Omit<RtmpMessage, "stream">) {
  try {
    return readDataMessage(message);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
