/** Where a text may be cut, the best place first: behind a paragraph, a line, a sentence, a word. */
const SEAMS = [/\n[^\S\n]*\n\s*/g, /\n\s*/g, /[.!?…]["'”’)\]]*\s+/g, /\s+/g];

/**
 * Cuts a text into pieces of at most so many characters (UTF-16 code units, 2 at least), each as long as it can be when it ends at the best seam that there is in its second half. Joined, the
 * pieces are the text: nothing is lost, trimmed or moved, and no character is cut in two.
 */
export function chunksOf(text: string, most: number): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.length - at <= most ? text.length : at + cut(text.slice(at, at + most));
    chunks.push(text.slice(at, end));
    at = end;
  }
  return chunks;
}

/** How much of a window that is too short for the text goes into the piece. */
function cut(window: string): number {
  for (const seam of SEAMS) {
    const last = [...window.matchAll(seam)].map(({ 0: found, index }) => index + found.length).findLast((end) => end > window.length / 2);
    if (last !== undefined) return last;
  }
  const half = /[\uD800-\uDBFF]$/.test(window); // the other half of the last character is outside
  return half ? window.length - 1 : window.length;
}
