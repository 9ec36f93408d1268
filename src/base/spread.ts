/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): every place bids for a key, and the highest bid has it.
 *
 * The same key always goes to the same place. With more places a key stays where it is or goes to a new one, never from
 * an old one to another old one; with fewer only those move whose place is gone. Keys spread evenly, to the square root
 * of their number.
 *
 * @param places at least 1
 * @returns from 0 to `places` − 1
 */
export function spread(key: string, places: number): number {
  if (places <= 1) return 0;
  const hash = fnv1a(key);
  let winner = 0;
  let highest = -1;
  for (let place = 0; place < places; place += 1) {
    const bid = mix(hash ^ Math.imul(place + 1, 0x9e3779b1));
    if (bid > highest) {
      highest = bid;
      winner = place;
    }
  }
  return winner;
}

/** Everywhere that `spread` can have put a key while there were at most so many places, in rising order; few. */
export function everSpread(key: string, mostPlaces: number): readonly number[] {
  const found = Array.from({ length: Math.max(1, mostPlaces) }, (_, index) => spread(key, index + 1));
  return [...new Set(found)];
}

/** FNV-1a over UTF-16 units, 32 bits. @see https://datatracker.ietf.org/doc/html/rfc9923 */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** The finaliser of MurmurHash3: every bit of the input moves half of the output's. Unsigned. */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
