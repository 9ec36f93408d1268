/*
 * Which literal addresses are on the public internet. The blocks are those of IANA's special-purpose registries:
 * what is not globally reachable, what is reserved, and what serves a protocol and is nobody's server.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/ and iana-ipv6-special-registry/ (RFC 6890)
 */

/** Base address, prefix length, what it is. */
const IPV4_BLOCKS: readonly (readonly [string, number, string])[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared by a carrier"],
  ["127.0.0.0", 8, "loopback"],
  ["168.63.129.16", 32, "a cloud's metadata service"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved for protocols"],
  ["192.0.2.0", 24, "for documentation"],
  ["192.31.196.0", 24, "reserved for protocols"],
  ["192.52.193.0", 24, "reserved for protocols"],
  ["192.88.99.0", 24, "a retired relay"],
  ["192.168.0.0", 16, "private"],
  ["192.175.48.0", 24, "reserved for protocols"],
  ["198.18.0.0", 15, "for benchmarks"],
  ["198.51.100.0", 24, "for documentation"],
  ["203.0.113.0", 24, "for documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
];

/**
 * What keeps an IPv4 address from being public, or null.
 *
 * @param text dotted decimal, as `URL` normalises every other spelling
 */
export function ipv4Fault(text: string): string | null {
  return faultOfNumber(ipv4Number(text));
}

function ipv4Number(text: string): number {
  return text.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function faultOfNumber(address: number): string | null {
  const block = IPV4_BLOCKS.find(([base, bits]) => {
    const size = 2 ** (32 - bits);
    const first = ipv4Number(base);
    return address >= first && address < first + size;
  });
  return block === undefined ? null : block[2];
}

/**
 * What keeps an IPv6 address from being public, or null. Only global unicast (2000::/3) can be; an address
 * that embeds an IPv4 one is as public as that.
 *
 * @param text without brackets, as `URL` normalises it: hexadecimal groups, at most one `::`
 */
export function ipv6Fault(text: string): string | null {
  const groups = ipv6Groups(text);
  const [a = 0, b = 0, c = 0] = groups;
  const tail = embedded(groups, 6);
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0);
  if (isZero(0, 8)) return "unspecified";
  if (isZero(0, 7) && groups[7] === 1) return "loopback";
  if (isZero(0, 6)) return faultOfNumber(tail); // IPv4-compatible
  if (isZero(0, 5) && groups[5] === 0xffff) return faultOfNumber(tail); // IPv4-mapped
  if (isZero(0, 4) && groups[4] === 0xffff && groups[5] === 0) return faultOfNumber(tail); // IPv4-translated
  if (a === 0x64 && b === 0xff9b && isZero(2, 6)) return faultOfNumber(tail); // NAT64
  if (a === 0x2002) return faultOfNumber(embedded(groups, 1)); // 6to4
  if ((a & 0xfe00) === 0xfc00) return "private";
  if ((a & 0xffc0) === 0xfe80) return "link-local";
  if ((a & 0xff00) === 0xff00) return "multicast";
  if ((a & 0xe000) !== 0x2000) return "reserved";
  if (a === 0x2001 && b < 0x200) return "reserved for protocols";
  if (a === 0x2001 && b === 0xdb8) return "for documentation";
  if (a === 0x3fff && b < 0x1000) return "for documentation";
  if (a === 0x2620 && b === 0x4f && c === 0x8000) return "reserved for protocols";
  return null;
}

function ipv6Groups(text: string): readonly number[] {
  const [head = "", tail] = text.split("::");
  const parse = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const front = parse(head);
  if (tail === undefined) return front;
  const back = parse(tail);
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function embedded(groups: readonly number[], at: number): number {
  return (groups[at] ?? 0) * 65_536 + (groups[at + 1] ?? 0);
}
