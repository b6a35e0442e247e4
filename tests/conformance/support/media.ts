// Bodies of FLV tags: enough of them for the server to tell headers, key frames and others.

/** An AVC key frame; `mark` and `length` tell frames apart. */
export const keyFrame = (mark: number, length = 20) => body(0x17, 1, mark, length);
/** An AVC frame that needs those before it. */
export const interFrame = (mark: number, length = 20) => body(0x27, 1, mark, length);
/** An AVC decoder configuration. */
export const videoHeader = (mark: number) => body(0x17, 0, mark, 12);
/** An AAC frame. */
export const audioFrame = (mark: number, length = 20) => body(0xaf, 1, mark, length);
/** An AAC decoder configuration. */
export const audioHeader = (mark: number) => body(0xaf, 0, mark, 4);
/** An MP3 frame, whose codec has no headers. */
export const mp3Frame = (mark: number, length = 20) => body(0x2f, mark, mark, length);

function body(first: number, second: number, mark: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(mark);
  bytes[0] = first;
  bytes[1] = second;
  return bytes;
}
