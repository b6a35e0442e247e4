import { type FlvTag, TagType } from "./tags.ts";

/** How far one kind of tag may run ahead of the other before it is let go, in milliseconds. */
const PATIENCE = 1000;

/**
 * Brings tags that arrive on separate flows, audio here and video there, into the order of
 * their times that a file wants. Times and data stay as they are, but for data tags: those
 * come with time 0 whenever they were sent, and take the time of the tag before them.
 */
export class FlvInterleaver {
  readonly #waiting = { [TagType.audio]: [] as FlvTag[], [TagType.video]: [] as FlvTag[] };
  #last = 0;

  /** Takes a tag. @returns the tags whose turn has come. */
  push(tag: FlvTag): FlvTag[] {
    if (tag.type === TagType.data) {
      return [{ ...tag, timestamp: Math.max(tag.timestamp, this.#last) }];
    }
    this.#waiting[tag.type].push(tag);
    return this.#take(false);
  }

  /** @returns what still waits, at the end of the stream. */
  end(): FlvTag[] {
    return this.#take(true);
  }

  #take(all: boolean): FlvTag[] {
    const [audio, video] = [this.#waiting[TagType.audio], this.#waiting[TagType.video]];
    const tags: FlvTag[] = [];
    for (;;) {
      const [[nextAudio], [nextVideo]] = [audio, video];
      const isAudio = !nextVideo || (nextAudio && nextAudio.timestamp < nextVideo.timestamp);
      const [tag, waiting] = isAudio ? [nextAudio, audio] : [nextVideo, video];
      if (!tag) return tags; // nothing waits
      const isAlone = !nextAudio || !nextVideo;
      if (isAlone && !all && waiting.at(-1)!.timestamp - tag.timestamp < PATIENCE) return tags;
      waiting.shift();
      this.#last = tag.timestamp;
      tags.push(tag);
    }
  }
}
