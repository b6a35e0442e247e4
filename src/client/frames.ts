// What the first bytes of audio and video data say. Flash Video File Format 10.1, annex E.4.
const AAC = 10;
const AVC = 7;
/** Bit of the enhanced format, whose codec is four characters after the first byte. */
const ENHANCED = 0x80;

/** Whether video data is a picture that needs none before it. */
export function isKeyFrame(video: Uint8Array): boolean {
  return ((video[0] >> 4) & 7) === 1;
}

/** Whether video data is the decoder's configuration rather than a picture. */
export function isVideoHeader(video: Uint8Array): boolean {
  if (video[0] & ENHANCED) return (video[0] & 0x0f) === 0; // PacketTypeSequenceStart
  return (video[0] & 0x0f) === AVC && video.length > 1 && video[1] === 0;
}

/** Whether video data is a picture: no configuration, end of sequence or command. */
export function isPicture(video: Uint8Array): boolean {
  if (video.length === 0 || ((video[0] >> 4) & 7) === 5) return false;
  if (video[0] & ENHANCED) return (video[0] & 0x0f) === 1 || (video[0] & 0x0f) === 3; // coded frames
  return (video[0] & 0x0f) !== AVC || video[1] === 1;
}

/** Whether audio data is the decoder's configuration rather than sound. */
export function isAudioHeader(audio: Uint8Array): boolean {
  return audio[0] >> 4 === AAC && audio.length > 1 && audio[1] === 0;
}
