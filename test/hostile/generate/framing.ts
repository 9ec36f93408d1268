import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";
import type { Request } from "../shot.ts";
import { bytesOf } from "../shot.ts";
import { IMPOSSIBLE_HOSTS, OTHER_METHODS } from "./heads.ts";

/**
 * Requests that no client library sends: framing that contradicts itself, lies, breaks off or never was HTTP.
 *
 * @param request a sound request to start from
 */
export function brokenFraming(request: Request, random: Random, scene: Scene): Buffer {
  const body = request.body ?? Buffer.from('{"action":"user.login","actor_id":"a"}');
  const method = request.body === null ? "POST" : request.method;
  /** A head of our own, so that it can say what it likes about the body. */
  const raw = (framing: readonly string[], rest: Buffer | string = body, first?: string): Buffer => {
    const lines = request.headers.map(([name, value]) => `${name}: ${value}`);
    const head = [first ?? `${method} ${request.target} HTTP/1.1`, ...lines, ...framing].join("\r\n");
    return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), Buffer.from(rest)]);
  };
  const size = body.length;
  const chunk = `${size.toString(16)}\r\n${body.toString("latin1")}\r\n`;
  const smuggled = bytesOf({ ...request, method: "GET", target: "/v1/keys", body: null, chunks: null });
  const chunks = "Transfer-Encoding: chunked";
  const line = (first: string): Buffer => raw([], "", first);
  return random.pick<() => Buffer>([
    () => raw([`Content-Length: ${size + random.skewed(1, 100_000)}`]),
    () => raw([`Content-Length: ${random.int(size + 1)}`]),
    () => raw(["Content-Length: -1"]),
    () => raw(["Content-Length: 1e3"]),
    () => raw([`Content-Length: +${size}`]),
    () => raw([`Content-Length: 0x${size.toString(16)}`]),
    () => raw(["Content-Length: 99999999999999999999999"]),
    () => raw(["Content-Length: 18446744073709551616"]),
    () => raw(["Content-Length: "]),
    () => raw([`Content-Length: ${size}, ${size}`]),
    () => raw([`Content-Length: ${size}`, `Content-Length: ${size + 1}`]),
    () => raw([`Content-Length: ${size}`, `Content-Length: ${size}`]),
    () => raw(["Content-Length: 4", chunks], `${chunk}0\r\n\r\n`),
    () => raw([chunks, `Content-Length: ${size}`], Buffer.concat([Buffer.from("0\r\n\r\n"), smuggled])),
    () => raw([`Content-Length : ${size}`]),
    () => raw(["Transfer-Encoding: xchunked"], `${chunk}0\r\n\r\n`),
    () => raw(["Transfer-Encoding: chunked, chunked"], `${chunk}0\r\n\r\n`),
    () => raw(["Transfer-Encoding: gzip, chunked"], `${chunk}0\r\n\r\n`),
    () => raw(["Transfer-Encoding: chunked, identity"], `${chunk}0\r\n\r\n`),
    () => raw(["Transfer-Encoding:\tchunked"], `${chunk}0\r\n\r\n`),
    () => raw([chunks, chunks], `${chunk}0\r\n\r\n`),
    () => raw([chunks], "ffffffffffffffff\r\nx"),
    () => raw([chunks], "-1\r\nx\r\n0\r\n\r\n"),
    () => raw([chunks], "zz\r\nx\r\n0\r\n\r\n"),
    () => raw([chunks], `${size.toString(16)}\r\n${body.toString("latin1")}0\r\n\r\n`),
    () => raw([chunks], `${size.toString(16)};${"x".repeat(random.skewed(1, 50_000))}\r\n`),
    () => raw([chunks], `${chunk}0\r\nX-Trailer: yes\r\nContent-Length: 5\r\n\r\n`),
    () => raw([chunks], `${"0".repeat(random.skewed(1, 5_000))}\r\n\r\n`),
    () => raw([chunks], `${size.toString(16)}\n${body.toString("latin1")}\n0\n\n`),
    () => raw([chunks], chunk),
    () => raw([`Content-Length: ${size}`, "Expect: 100-continue"]),
    () => raw([`Content-Length: ${size}`, "Expect: 200-nonsense"]),
    () =>
      raw([
        `Content-Length: ${size}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
      ]),
    () =>
      raw(["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAA"], ""),
    () => raw([`Content-Length: ${size}`, "Connection: close, keep-alive, content-length"]),
    () => raw([`Content-Length: ${size}`, "X-A: b\r\n folded"]),
    () => raw([`Content-Length: ${size}`, "no colon here"]),
    () => raw([`Content-Length: ${size}`, ": no name"]),
    () => raw([`Content-Length: ${size}`, "X-A\0B: c"]),
    () => raw([`Content-Length: ${size}`, "X-A: b\0c"]),
    () => raw([`Content-Length: ${size}`, "X-A: b\rX-Injected: yes"]),
    () => raw([`Content-Length: ${size}`, "X-A: b\nX-Injected: yes"]),
    () => raw([`Content-Length: ${size}`, "X (a): b"]),
    () =>
      raw([`Content-Length: ${size}`, `X-A: ${"b".repeat(random.pick([60_000, 70_000, 130_000, 600_000]))}`]),
    () => raw([`Content-Length: ${size}`, ...new Array<string>(20_000).fill("X-Flood: y")]),
    () => raw([`Host: other.example`, `Content-Length: ${size}`]),
    () => withHost(request, random.pick(IMPOSSIBLE_HOSTS)),
    () => withHost(request, null),
    () => line(`${method} ${request.target} HTTP/1.0`),
    () => line(`${method} ${request.target} HTTP/0.9`),
    () => line(`${method} ${request.target} HTTP/2.0`),
    () => line(`${method} ${request.target} HTTP/1.1.1`),
    () => line(`${method} ${request.target}`),
    () => line(`${method}  ${request.target}  HTTP/1.1`),
    () => line(`${method}\t${request.target}\tHTTP/1.1`),
    () => line(`GET http://${scene.host}${request.target} HTTP/1.1`),
    () => line("GET http://other.example/v1/keys HTTP/1.1"),
    () => line("GET https://other.example:99999/ HTTP/1.1"),
    () => line("GET ftp://other.example/ HTTP/1.1"),
    () => line("GET //other.example/v1/keys HTTP/1.1"),
    () => line("CONNECT other.example:443 HTTP/1.1"),
    () => line("OPTIONS * HTTP/1.1"),
    () => line("GET * HTTP/1.1"),
    () => line("GET healthz HTTP/1.1"),
    () => line("GET /healthz\0 HTTP/1.1"),
    () => line("GET /health\x01z HTTP/1.1"),
    () => line("GET /healthz\r HTTP/1.1"),
    () => line(`GET /${"a".repeat(random.pick([8_000, 60_000, 100_000, 600_000]))} HTTP/1.1`),
    () => line(`GET /v1/keys?${"a=b&".repeat(random.pick([1_000, 14_000, 20_000]))} HTTP/1.1`),
    () => line(`${random.pick(OTHER_METHODS)} ${request.target} HTTP/1.1`),
    () => Buffer.concat([Buffer.from("\r\n\r\n"), bytesOf(request)]),
    () => Buffer.from(bytesOf(request).toString("latin1").replaceAll("\r\n", "\n"), "latin1"),
    () => Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1"),
    () => Buffer.from("16030100c8010000c40303", "hex"),
    () => Buffer.from("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n\r\n"),
    () => random.bytes(random.skewed(1, 20_000)),
    () => Buffer.alloc(random.skewed(1, 200_000), "A"),
    () => bytesOf(request).subarray(0, random.int(bytesOf(request).length)),
    () => bent(bytesOf(request), random),
    () => Buffer.alloc(0),
  ])();
}

function withHost(request: Request, host: string | null): Buffer {
  const headers = request.headers.filter(([name]) => name !== "Host");
  return bytesOf({ ...request, headers: host === null ? headers : [["Host", host], ...headers] });
}

function bent(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const end = Math.max(1, copy.indexOf("\r\n\r\n"));
  for (let round = random.between(1, 5); round > 0; round -= 1) copy[random.int(end)] = random.int(256);
  return copy;
}
