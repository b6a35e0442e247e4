import { type FlvTag, TagType } from "./tags.ts";

/** Maximum lead (ms) of one kind of tag over the other; beyond it tags are released without the other kind. */
const MAX_LEAD = 1000;

/**
 * Brings tags that arrive on separate flows for audio and video into the order of their times, as files
 * need. Times and data stay as they are, except that data tags, which always arrive with time 0, take
 * the time of the tag before them.
 */
export class FlvInterleaver {
  readonly #waiting = { [TagType.audio]: [] as FlvTag[], [TagType.video]: [] as FlvTag[] };
  #last = 0;

  /** Takes a tag. @returns the tags that come next in the file */
  push(tag: FlvTag): FlvTag[] {
    if (tag.type === TagType.data) {
      return [{ ...tag, timestamp: Math.max(tag.timestamp, this.#last) }];
    }
    this.#waiting[tag.type].push(tag);
    return this.#take(false);
  }

  /** Ends the stream. @returns the tags still held */
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
      if (!tag) return tags; // none is held
      const isAlone = !nextAudio || !nextVideo;
      if (isAlone && !all && waiting.at(-1)!.timestamp - tag.timestamp < MAX_LEAD) return tags;
      waiting.shift();
      this.#last = tag.timestamp;
      tags.push(tag);
    }
  }
}
